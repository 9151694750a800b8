#include "config/build_section.hh"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hh"
#include "config/manifest_rules.hh"

namespace pushrod {

namespace {

// One name, or a list of them.
std::vector<std::string> read_builders(TomlSection& section) {
  std::vector<std::string> names;
  if (section.is_list("builder")) {
    names = section.texts("builder").value_or(names);
  } else if (auto name = section.text("builder")) {
    names = {*std::move(name)};
  }
  if (section.has("builder") && names.empty()) {
    section.refuse("builder", fmt::format("{} names none", section.shown("builder")), "remove it, or name one");
  }
  for (std::size_t at = 1; at < names.size(); ++at) {
    if (std::find(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(at), names[at]) ==
        names.begin() + static_cast<std::ptrdiff_t>(at)) {
      continue;
    }
    section.refuse("builder", fmt::format("{} names {} twice", section.shown("builder"), quoted(names[at])));
  }
  return names;
}

}  // namespace

std::string read_command_and_no_more(TomlSection& section) {
  auto command = section.text("command");
  section.refuse_unknown_keys();
  if (!command) section.refuse({}, fmt::format("{} is missing", section.shown("command")));
  check_command(*command, section.shown("command"), section.place("command"));
  return *std::move(command);
}

void read_build(TomlSection& section, AppManifest& manifest) {
  manifest.build_root = section.text("root");
  if (manifest.build_root) {
    const auto parts = split(*manifest.build_root, '/');
    const bool goes_up =
        std::all_of(parts.begin(), parts.end(), [](const std::string& part) { return part == ".." || part == "."; });
    if (!goes_up) {
      section.refuse(
          "root",
          fmt::format("{}: {} is not above the app's directory", section.shown("root"), quoted(*manifest.build_root)),
          "write it relative to the app's directory: \"..\", \"../..\"");
    }
  }
  manifest.builders = read_builders(section);
  manifest.build_after = section.text("after");
  if (manifest.build_after) check_command(*manifest.build_after, section.shown("after"), section.place("after"));
  if (section.has("command") && !manifest.builders.empty()) {
    section.refuse("builder", fmt::format("{} and a command exclude each other", section.shown("builder")),
                   "keep one of them; a command after the builder is \"after\"");
  }
  section.flag("network", manifest.build_network);
  section.flag("submodules", manifest.build_submodules);
  manifest.buildpacks = section.texts("buildpacks").value_or(std::vector<std::string>{});
  if (!manifest.buildpacks.empty() && (section.has("command") || !manifest.builders.empty())) {
    section.refuse("buildpacks",
                   fmt::format("{} and a builder or a command exclude each other", section.shown("buildpacks")),
                   "keep one of them; a command after the buildpacks is \"after\"");
  }
  const bool has_other = manifest.build_root || manifest.build_after || !manifest.builders.empty() ||
                         section.has("network") || section.has("submodules") || section.has("buildpacks");
  if (section.has("command") || !has_other) {
    manifest.build_command = read_command_and_no_more(section);
  } else {
    section.refuse_unknown_keys();
  }
}

}  // namespace pushrod
