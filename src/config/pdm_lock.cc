// pdm.lock → the packages of production: those of the group "default".
#include <fmt/format.h>

#include <algorithm>

#include "base/error.hh"
#include "config/python_lock.hh"
#include "config/toml_section.hh"
#include "config/toml_values.hh"

namespace pushrod {

namespace {

constexpr const char* kFile = "pdm.lock";

std::string place_of(const toml::table& package) {
  if (const auto git = toml_text(package, "git"); !git.empty()) {
    const auto revision = toml_text(package, "revision");
    return "git+" + git + (revision.empty() ? "" : "@" + revision);
  }
  if (const auto path = toml_text(package, "path"); !path.empty()) return path.starts_with('.') ? path : "./" + path;
  return toml_text(package, "url");
}

std::vector<LockedFile> files_of(const toml::table& package) {
  std::vector<LockedFile> files;
  each_toml_table(package, "files", [&](const toml::table& file) {
    auto name = toml_text(file, "file");
    if (name.empty()) {
      name = toml_text(file, "url");
      name.erase(0, name.rfind('/') + 1);
    }
    if (auto hash = toml_text(file, "hash"); !hash.empty()) files.push_back({std::move(name), std::move(hash)});
  });
  return files;
}

}  // namespace

PythonLock parse_pdm_lock(const std::string& text) {
  const TomlDocument document(text, kFile);
  PythonLock lock;
  lock.uses_pypi = true;
  each_toml_table(document.table(), "package", [&](const toml::table& table) {
    const auto groups = toml_texts(table, "groups");
    if (groups.empty()) {
      throw UserError{fmt::format("{} does not say which packages are for production", kFile),
                      "run pdm lock with PDM 2.10 or later, and commit it"};
    }
    if (std::find(groups.begin(), groups.end(), "default") == groups.end()) return;
    const auto name = normal_python_name(toml_text(table, "name"));
    // A package with extras is there a second time, with the same files.
    const auto is_known = [&](const LockedPackage& known) {
      return known.name == name && known.version == toml_text(table, "version");
    };
    if (std::any_of(lock.packages.begin(), lock.packages.end(), is_known)) return;
    lock.packages.push_back({.name = name,
                             .version = toml_text(table, "version"),
                             .place = place_of(table),
                             .marker = toml_text(table, "marker"),
                             .files = files_of(table)});
  });
  return lock;
}

}  // namespace pushrod
