// What each version writes was tried with the versions in the registry: 2 and 3.0 write format 4, 3.1 writes 5, 3.2
// to 3.8 write 6, 4.0 to 4.13 write 8, 4.14 writes 9, 4.15 and later write 10.
#include "build/modern_yarn.hh"

#include <algorithm>
#include <array>

#include "base/text.hh"
#include "build/builders.hh"
#include "build/lock_format.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

constexpr std::size_t kMostBytes = std::size_t{256} << 20;  // of all files together
constexpr std::size_t kMostFiles = 5'000;
constexpr const char* kSettings = ".yarnrc.yml";

std::string without_quotes(std::string_view text) {
  text = trim(text);
  if (text.size() > 1 && (text.front() == '"' || text.front() == '\'') && text.back() == text.front()) {
    text = text.substr(1, text.size() - 2);
  }
  if (text.starts_with("./")) text.remove_prefix(2);
  return std::string(text);
}

// The words of the settings that name a program of yarn's: releases and plugins.
std::vector<std::string> programs_in(const std::string& settings) {
  std::vector<std::string> programs;
  for (const auto& line : lines_of(settings)) {
    const auto start = line.find_last_of(" \t");
    const auto word = without_quotes(start == std::string::npos ? line : line.substr(start + 1));
    if (word.ends_with(".cjs") || word.ends_with(".js") || word.ends_with(".mjs")) programs.push_back(word);
  }
  return programs;
}

// Yarn's own plugins install packages from what yarn itself reads; others may read and run anything.
bool is_of_others(const std::string& program) {
  return !program.starts_with(".yarn/releases/") && !program.starts_with(".yarn/plugins/@yarnpkg/");
}

class YarnFiles {
 public:
  explicit YarnFiles(const fs::path& root) : root_(root) {}

  // False when there is something that is neither a file nor a directory, or too much.
  bool read(const std::string& path, int depth = 0) {
    constexpr int kDeepest = 8;
    if (is_plain_file(root_ / path)) return read_one(path);
    if (!is_directory(root_ / path) || depth > kDeepest) return false;
    const auto names = list_directory(root_ / path);
    return std::all_of(names.begin(), names.end(),
                       [&](const std::string& name) { return read(path + "/" + name, depth + 1); });
  }

  std::map<std::string, std::string> take() { return std::move(files_); }

 private:
  bool read_one(const std::string& path) {
    const auto size = fs::file_size(root_ / path);
    if (size > kMostBytes - size_ || files_.size() >= kMostFiles) return false;
    files_[path] = read_file(root_ / path, kMostBytes, /*follow=*/false).value_or("");
    size_ += size;
    return true;
  }

  const fs::path& root_;
  std::map<std::string, std::string> files_;
  std::size_t size_ = 0;
};

}  // namespace

bool is_of_modern_yarn(const fs::path& directory) {
  const auto lock = beginning_of(directory, "yarn.lock");
  if (lock.find("__metadata:") != std::string::npos) return true;
  return in_tree(directory, kSettings) && lock.find("yarn lockfile v1") == std::string::npos;
}

std::string modern_yarn_version(const fs::path& directory) {
  const auto text = beginning_of(directory, "yarn.lock");
  const auto metadata = text.find("__metadata:");
  const auto format = metadata == std::string::npos ? std::nullopt : number_after(text.substr(metadata), "version");
  constexpr std::array<std::pair<int, const char*>, 5> kNewest{
      {{4, "2"}, {5, "3.1"}, {7, "3"}, {8, "4.13"}, {9, "4.14"}}};
  for (const auto& [newest, version] : kNewest) {
    if (format && *format <= newest) return version;
  }
  return "4";
}

std::string yarn_path(const fs::path& directory) {
  for (const auto& line : lines_of(read_tree_file(directory, kSettings, std::size_t{1} << 20).value_or(""))) {
    if (!line.starts_with("yarnPath:")) continue;
    const auto path = without_quotes(line.substr(std::string_view{"yarnPath:"}.size()));
    const bool is_plain = path.starts_with(".yarn/") && path.find("..") == std::string::npos &&
                          path.find_first_of("'\\") == std::string::npos;
    return is_plain && path.find("/yarn-1.") == std::string::npos ? path : "";
  }
  return {};
}

std::string version_of_yarn_path(const std::string& path) {
  constexpr std::string_view kPrefix = "yarn-";
  auto name = fs::path(path).stem().native();
  if (!name.starts_with(kPrefix)) return {};
  name.erase(0, kPrefix.size());
  const bool is_version = !name.empty() && name.find_first_not_of("0123456789.") == std::string::npos;
  return is_version ? name : std::string{};
}

std::optional<std::map<std::string, std::string>> files_of_modern_yarn(const fs::path& directory,
                                                                       const std::string& settings) {
  YarnFiles files(directory);
  if (is_directory(directory / ".yarn")) {
    for (const char* name : {".yarn/releases", ".yarn/plugins", ".yarn/patches", ".yarn/cache"}) {
      std::error_code error;
      if (fs::symlink_status(directory / name, error).type() == fs::file_type::not_found) continue;
      if (!files.read(name)) return std::nullopt;
    }
  } else if (in_tree(directory, ".yarn")) {
    return std::nullopt;
  }
  auto found = files.take();
  for (const auto& program : programs_in(settings)) {
    if (is_of_others(program)) return std::nullopt;
    // A release that is not there is not used, and no plugin that is not there can be.
    if (program.starts_with(".yarn/plugins/") && !found.contains(program)) return std::nullopt;
  }
  return found;
}

bool is_program_of_yarn(const std::string& path) {
  const auto at = path.find(".yarn/");
  return at != std::string::npos && (at == 0 || path[at - 1] == '/') && path.compare(at, 14, ".yarn/patches/") != 0;
}

}  // namespace pushrod
