// Reads "patchedDependencies" and "bin". What is unusual is left to an installation without a layer.
#include "build/own_files.hh"

#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

#include "base/text.hh"
#include "build/builders.hh"
#include "build/own_packages.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

using Json = nlohmann::json;
using Paths = std::set<std::string>;

constexpr std::size_t kFileCap = std::size_t{4} << 20;
constexpr const char* kPatched = "patchedDependencies";

std::string without_dot(std::string path) {
  while (path.starts_with("./")) path.erase(0, 2);
  return path;
}

// The values of an object that are texts; false if it is none, or has others.
bool add_texts(const Json& object, Paths& paths) {
  if (!object.is_object()) return false;
  for (const auto& value : object) {
    if (!value.is_string()) return false;
    paths.insert(without_dot(value.get<std::string>()));
  }
  return true;
}

// "  is-odd@3.0.1: patches/is-odd@3.0.1.patch", on the lines after "patchedDependencies:".
bool add_from_yaml(const std::string& yaml, Paths& paths) {
  bool lists = false;
  for (const std::string& line : lines_of(yaml)) {
    const std::string text(trim(line));
    if (text.empty() || text.starts_with('#')) continue;
    if (!line.starts_with(' ')) {
      lists = text == std::string(kPatched) + ":";
      if (!lists && text.find(kPatched) != text.npos) return false;
      continue;
    }
    if (!lists) continue;
    const auto colon = text.rfind(": ");
    if (colon == text.npos) return false;
    std::string path(trim(std::string_view(text).substr(colon + 2)));
    if (path.size() > 1 && (path.front() == '\'' || path.front() == '"') && path.back() == path.front()) {
      path = path.substr(1, path.size() - 2);
    }
    paths.insert(without_dot(path));
  }
  return true;
}

// Absent when it is a symlink or lies behind one.
std::optional<std::string> own_file(const fs::path& root, const std::string& path) {
  const auto parent = fs::path(path).parent_path();
  if (!is_plain_path(path) || !is_directory_within(root, parent.native()) || !is_plain_file(root / path)) {
    return std::nullopt;
  }
  return read_tree_bytes(root / parent, fs::path(path).filename(), kFileCap);
}

}  // namespace

bool is_directory_within(const fs::path& root, const std::string& path) {
  fs::path here = root;
  for (const auto& part : fs::path(path)) {
    if (part == ".." || part.is_absolute()) return false;
    here /= part;
    if (!is_directory(here)) return false;
  }
  return true;
}

std::optional<OwnFiles> patches_of(const fs::path& directory, const std::string& manifest,
                                   const std::string& pnpm_workspace) {
  Paths paths;
  const auto json = Json::parse(manifest, nullptr, /*allow_exceptions=*/false);
  for (const auto* object : {&json, json.is_object() && json.contains("pnpm") ? &json.at("pnpm") : nullptr}) {
    if (object == nullptr || !object->is_object() || !object->contains(kPatched)) continue;
    if (!add_texts(object->at(kPatched), paths)) return std::nullopt;
  }
  if (!add_from_yaml(pnpm_workspace, paths)) return std::nullopt;
  OwnFiles files;
  for (const auto& path : paths) {
    auto patch = own_file(directory, path);
    if (!patch) return std::nullopt;
    files[path] = *std::move(patch);
  }
  return files;
}

std::optional<OwnFiles> programs_of(const fs::path& root, const std::string& path, const std::string& manifest) {
  const auto json = Json::parse(manifest, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || json.contains("directories")) return std::nullopt;
  Paths paths;
  if (json.contains("bin")) {
    const auto& bin = json.at("bin");
    if (bin.is_string()) {
      paths.insert(without_dot(bin.get<std::string>()));
    } else if (!add_texts(bin, paths)) {
      return std::nullopt;
    }
  }
  OwnFiles files;
  for (const auto& program : paths) {
    if (!is_plain_path(program)) return std::nullopt;
    const auto file = path + "/" + program;
    std::error_code error;
    if (fs::symlink_status(root / file, error).type() == fs::file_type::not_found) continue;  // a build makes it
    const auto content = own_file(root, file);
    if (!content || program == "package.json") return std::nullopt;
    files[file] = content->starts_with("#!") ? content->substr(0, content->find('\n')) + "\n" : "";
  }
  return files;
}

}  // namespace pushrod
