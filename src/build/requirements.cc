// Reads requirements.txt as pip does, as far as is needed to tell what it depends on.
#include "build/requirements.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "base/error.hh"
#include "base/text.hh"
#include "build/builders.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

constexpr std::size_t kFileCap = std::size_t{1} << 20;
constexpr std::size_t kPackagesCap = std::size_t{256} << 20;  // of all files together, which are held in memory
constexpr std::size_t kMostFiles = 1'000;

bool is_url(std::string_view text) { return text.find("://") != text.npos && !text.starts_with("file:"); }

// "-r base.txt", "--requirement=base.txt", "-rbase.txt"
std::optional<std::string> value_of(std::string_view line, std::string_view letter, std::string_view word) {
  for (const auto option : {word, letter}) {
    if (!line.starts_with(option)) continue;
    auto rest = line.substr(option.size());
    if (option == word && !rest.empty() && rest.front() != '=' && rest.front() != ' ' && rest.front() != '\t') continue;
    if (!rest.empty() && rest.front() == '=') rest.remove_prefix(1);
    return std::string(trim(rest));
  }
  return std::nullopt;
}

// Lines that end with a backslash go on in the next one; a comment begins a line or follows a space.
std::vector<std::string> logical_lines(const std::string& text) {
  std::vector<std::string> lines;
  std::string joined;
  for (const std::string& raw : lines_of(text)) {
    std::string line(trim(raw));
    if (line.starts_with('#')) line.clear();
    if (const auto comment = line.find(" #"); comment != std::string::npos) line.erase(comment);
    const bool goes_on = line.ends_with('\\');
    if (goes_on) line.pop_back();
    joined += line;
    if (goes_on) continue;
    if (!trim(joined).empty()) lines.emplace_back(trim(joined));
    joined.clear();
  }
  if (!trim(joined).empty()) lines.emplace_back(trim(joined));
  return lines;
}

class Reader {
 public:
  explicit Reader(const fs::path& root) : root_(root) {}

  void read(const std::string& file) {
    if (found_.uses_tree || found_.files.contains(file)) return;
    const auto text = content_of(file, kFileCap);
    if (!text || text->find('\0') != std::string::npos) {  // pip reads UTF-16, too
      found_.uses_tree = true;
      return;
    }
    found_.files[file] = *text;
    const auto directory = fs::path(file).parent_path();
    for (const auto& line : logical_lines(*text)) read_line(line, directory);
  }

  Requirements take() { return std::move(found_); }

 private:
  void read_line(const std::string& line, const fs::path& directory) {
    for (const auto& [letter, word] : {std::pair{"-r", "--requirement"}, std::pair{"-c", "--constraint"}}) {
      const auto other = value_of(line, letter, word);
      if (!other) continue;
      const auto path = below_root(directory / *other);
      if (is_url(*other) || !path) {
        found_.uses_tree = true;
      } else {
        read(*path);
      }
      return;
    }
    if (const auto place = value_of(line, "-f", "--find-links")) return read_packages(*place, directory);
    if (line.starts_with('-')) return read_option(line);
    read_requirement(line);
  }

  void read_option(const std::string& line) {
    constexpr std::array<std::string_view, 12> kHarmless{"-i",
                                                         "--index-url",
                                                         "--extra-index-url",
                                                         "--no-index",
                                                         "--trusted-host",
                                                         "--prefer-binary",
                                                         "--only-binary",
                                                         "--no-binary",
                                                         "--pre",
                                                         "--use-feature",
                                                         "--require-hashes",
                                                         "--pypi-url"};
    const bool is_harmless = std::any_of(kHarmless.begin(), kHarmless.end(),
                                         [&](std::string_view option) { return line.starts_with(option); });
    if (!is_harmless) found_.uses_tree = true;  // -e .
  }

  void read_requirement(const std::string& line) {
    found_.all.push_back(line);
    const bool is_local =
        line.starts_with('.') || line.starts_with('/') || line.find("file:") != std::string::npos ||
        (!is_url(line) && (line.ends_with(".whl") || line.ends_with(".gz") || line.ends_with(".zip")));
    if (is_local) {
      found_.uses_tree = true;
    } else if (!is_pinned(line)) {
      found_.unpinned.push_back(line);
    }
  }

  // A directory of wheels.
  void read_packages(const std::string& place, const fs::path& directory) {
    if (is_url(place)) return;
    const auto path = below_root(directory / place);
    if (!path || !is_directory(root_ / *path)) {
      found_.uses_tree = true;
      return;
    }
    for (const auto& name : list_directory(root_ / *path)) {
      const bool is_package = name.ends_with(".whl") || name.ends_with(".tar.gz") || name.ends_with(".zip");
      if (!is_package) continue;
      const auto file = path->empty() ? name : *path + "/" + name;
      const auto content = content_of(file, kPackagesCap - std::min(size_, kPackagesCap));
      if (!content || found_.files.size() >= kMostFiles) {
        found_.uses_tree = true;
        return;
      }
      size_ += content->size();
      found_.files[file] = *content;
    }
  }

  // As a path in the root, without symlinks on the way; absent for one that leads out of it.
  std::optional<std::string> below_root(const fs::path& path) const {
    auto normal = path.lexically_normal().native();
    while (normal.ends_with('/')) normal.pop_back();
    if (normal == ".") normal.clear();
    if (fs::path(normal).is_absolute() || normal == ".." || normal.starts_with("../")) return std::nullopt;
    fs::path parent = root_;
    for (const auto& part : fs::path(normal).parent_path()) {
      parent /= part;
      if (!is_directory(parent)) return std::nullopt;
    }
    return normal;
  }

  std::optional<std::string> content_of(const std::string& file, std::size_t cap) const {
    if (!is_plain_file(root_ / file) || fs::file_size(root_ / file) > cap) return std::nullopt;
    return read_file(root_ / file, cap, /*follow=*/false);
  }

  const fs::path& root_;
  Requirements found_;
  std::size_t size_ = 0;
};

}  // namespace

bool is_pinned(std::string_view requirement) {
  if (const auto options = requirement.find(" --"); options != requirement.npos) {
    if (requirement.find("--hash", options) != requirement.npos) return true;
    requirement = requirement.substr(0, options);
  }
  if (requirement.find(" @ ") != requirement.npos || is_url(requirement)) {
    return requirement.find("#sha256=") != requirement.npos;
  }
  if (const auto marker = requirement.find(';'); marker != requirement.npos)
    requirement = requirement.substr(0, marker);
  const auto equals = requirement.find("==");
  return equals != requirement.npos && requirement.find('*', equals) == requirement.npos;
}

Requirements read_requirements(const fs::path& root, const std::string& file) {
  Reader reader(root);
  reader.read(file);
  return reader.take();
}

}  // namespace pushrod
