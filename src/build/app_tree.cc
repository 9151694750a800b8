// The files of an app in a checkout, as builders look at them: never through a link.
#include <fmt/format.h>
#include <sys/stat.h>

#include "base/error.hh"
#include "base/text.hh"
#include "build/builder.hh"
#include "build/builders.hh"
#include "config/text_file.hh"
#include "os/files.hh"

namespace pushrod {

bool in_tree(const fs::path& directory, const std::string& name) {
  struct stat about {};
  if (lstat((directory / name).c_str(), &about) != 0) return false;
  return S_ISREG(about.st_mode) || S_ISLNK(about.st_mode);
}

std::optional<std::string> read_tree_bytes(const fs::path& directory, const std::string& name, std::size_t cap) {
  if (!in_tree(directory, name)) return std::nullopt;
  const fs::path path = directory / name;
  if (!is_plain_file(path)) {
    throw UserError{fmt::format("{} is a symlink", name), "commit the file itself under that name"};
  }
  if (const auto size = fs::file_size(path); size > cap) {
    throw UserError{fmt::format("{} has {}; at most {} are read", name, format_bytes(size), format_bytes(cap))};
  }
  return read_file(path, cap, /*follow=*/false);
}

std::optional<std::string> read_tree_file(const fs::path& directory, const std::string& name, std::size_t cap) {
  const auto bytes = read_tree_bytes(directory, name, cap);
  return bytes ? std::optional(decode_text(*bytes, name)) : std::nullopt;
}

std::vector<std::string> AppTree::upwards() const {
  std::vector<std::string> directories{path};
  while (!directories.back().empty()) directories.push_back(fs::path(directories.back()).parent_path().string());
  return directories;
}

std::optional<std::string> AppTree::nearest(const std::vector<std::string>& names) const {
  for (const auto& directory : upwards()) {
    for (const auto& name : names) {
      if (in_tree(root / directory, name)) return directory;
    }
  }
  return std::nullopt;
}

std::string in_sandbox(const std::string& path) { return path.empty() ? "/app" : "/app/" + path; }

std::string node_programs(const AppTree& tree) {
  std::vector<std::string> directories;
  for (const auto& directory : tree.upwards()) directories.push_back(in_sandbox(directory) + "/node_modules/.bin");
  return join(directories, ":");
}

BuildStep step_in(const AppTree& tree, const std::string& where, std::string command) {
  return {std::move(command), where == tree.path ? std::string{} : in_sandbox(where)};
}

fs::path app_directory(const Checkout& checkout, const std::string& path) {
  fs::path directory = checkout.tree();
  for (const fs::path& part : fs::path{path}) {
    if (part.empty() || part == ".") continue;
    directory /= part;
    if (part == ".." || part.is_absolute() || !is_directory(directory)) {
      throw UserError{fmt::format("the app's path {} is not a directory in this commit", quoted(path)),
                      "commit it as a plain directory (not a symlink), or create the app with another --path"};
    }
  }
  return directory;
}

AppTree app_tree(const Checkout& checkout, const Source& source) {
  app_directory(checkout, source.path);
  const auto root = root_of(source);
  return {root.empty() ? checkout.tree() : checkout.tree() / root, path_in_root(source)};
}

}  // namespace pushrod
