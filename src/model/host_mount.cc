// What a release mounts of this machine, as JSON, in which the database keeps it.
#include "model/host_mount.hh"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.hh"

namespace pushrod {

std::string to_json(const HostMounts& mounts) {
  auto array = nlohmann::json::array();
  for (const auto& mount : mounts) {
    array.push_back({{"path", mount.path}, {"name", mount.name.str()}, {"read_only", mount.read_only}});
  }
  return array.dump();
}

HostMounts host_mounts_from_json(const std::string& text) {
  try {
    HostMounts mounts;
    for (const auto& stored : nlohmann::json::parse(text)) {
      mounts.push_back({stored.at("path").get<std::string>(), MountName::parse(stored.at("name").get<std::string>()),
                        stored.at("read_only").get<bool>()});
    }
    return mounts;
  } catch (const nlohmann::json::exception& broken) {
    throw Error(fmt::format("the stored mounts of a release cannot be read: {}", broken.what()));
  }
}

bool lies_at_or_below(const std::string& path, const std::string& directory) {
  return path == directory || directory == "/" || path.starts_with(directory + "/");
}

}  // namespace pushrod
