// The mounts of a release as JSON, in which the database keeps them.
#include "model/release_mount.hh"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "model/words.hh"

namespace pushrod {

namespace {

constexpr Words<Access, 3> kAccess{"access to a mount",
                                   {{{Access::None, "none"}, {Access::Read, "read"}, {Access::Write, "write"}}}};

}  // namespace

std::string_view to_string(Access access) { return kAccess.word(access); }

std::string to_json(const ReleaseMounts& mounts) {
  auto array = nlohmann::json::array();
  for (const auto& mount : mounts) {
    array.push_back({{"directory", mount.directory},
                     {"path", mount.path},
                     {"building", kAccess.word(mount.building)},
                     {"running", kAccess.word(mount.running)}});
    if (!mount.layer.empty()) array.back()["layer"] = mount.layer;
  }
  return array.dump();
}

ReleaseMounts mounts_from_json(const std::string& text) {
  try {
    ReleaseMounts mounts;
    for (const auto& stored : nlohmann::json::parse(text)) {
      mounts.push_back({stored.at("directory").get<std::string>(), stored.at("path").get<std::string>(),
                        kAccess.value(stored.at("building").get<std::string>()),
                        kAccess.value(stored.at("running").get<std::string>()), stored.value("layer", std::string{})});
    }
    return mounts;
  } catch (const nlohmann::json::exception& broken) {
    throw Error(fmt::format("the stored mounts of a release cannot be read: {}", broken.what()));
  }
}

}  // namespace pushrod
