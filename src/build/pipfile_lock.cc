// Pipfile.lock → lines of a requirements.txt.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "build/builders.hh"
#include "build/python_packages.hh"

namespace pushrod {

namespace {

using Json = nlohmann::json;

// Of the requirements, with what a shell needs. The file has hashes of the packages for all systems, which can be more
// than one command may say; the versions alone are installed then.
constexpr std::size_t kMostWithHashes = 80'000;

std::string text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

std::string extras_of(const Json& package) {
  const auto found = package.find("extras");
  if (found == package.end() || !found->is_array() || found->empty()) return {};
  std::vector<std::string> names;
  for (const Json& name : *found) names.push_back(name.get<std::string>());
  return "[" + join(names, ",") + "]";
}

// " --hash=sha256:0a1b …"; empty if the file has none.
std::string hashes_of(const Json& package) {
  std::string options;
  const auto found = package.find("hashes");
  if (found == package.end() || !found->is_array()) return options;
  for (const Json& hash : *found) {
    const auto text = hash.get<std::string>();
    if (text.find_first_of(" \t") == std::string::npos) options += " --hash=" + text;
  }
  return options;
}

// Empty for a package that is a file or a directory.
std::string requirement(const std::string& name, const Json& package) {
  const auto markers = text_of(package, "markers");
  const auto end = markers.empty() ? std::string{} : " ; " + markers;
  if (const auto repository = text_of(package, "git"); !repository.empty()) {
    const auto ref = text_of(package, "ref");
    return fmt::format("{}{} @ git+{}{}{}", name, extras_of(package), repository, ref.empty() ? "" : "@" + ref, end);
  }
  const auto version = text_of(package, "version");
  return version.empty() ? "" : fmt::format("{}{}{}{}", name, extras_of(package), version == "*" ? "" : version, end);
}

// Package indexes other than pip's own; pip puts settings into ${NAME}.
void add_indexes(const Json& meta, std::vector<std::string>& lines) {
  const auto sources = meta.find("sources");
  if (sources == meta.end() || !sources->is_array()) return;
  bool is_first = true;
  for (const Json& source : *sources) {
    const auto url = text_of(source, "url");
    if (!url.empty() && !(is_first && url.starts_with("https://pypi.org/"))) {
      lines.push_back((is_first ? "--index-url " : "--extra-index-url ") + url);
    }
    is_first = false;
  }
}

// pip wants a hash of every package, or of none.
void add_hashes(const std::vector<std::string>& hashes, std::vector<std::string>& lines) {
  std::size_t size = 0;
  for (std::size_t at = 0; at < lines.size(); ++at) size += lines[at].size() + hashes[at].size();
  const bool has_all = std::none_of(hashes.begin(), hashes.end(), [](const auto& text) { return text.empty(); });
  if (!has_all || size > kMostWithHashes) return;
  for (std::size_t at = 0; at < lines.size(); ++at) lines[at] += hashes[at];
}

bool is_one_line(const std::string& text) {
  return std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

}  // namespace

std::optional<PipfileLock> parse_pipfile_lock(const std::string& text) {
  try {
    const Json json = Json::parse(text);
    PipfileLock lock;
    std::vector<std::string> hashes;
    for (const auto& [name, package] : json.at("default").items()) {
      auto line = requirement(name, package);
      if (line.empty()) return std::nullopt;
      hashes.push_back(hashes_of(package));
      lock.requirements.push_back(std::move(line));
    }
    add_hashes(hashes, lock.requirements);
    if (const auto meta = json.find("_meta"); meta != json.end() && meta->is_object()) {
      if (!lock.requirements.empty()) add_indexes(*meta, lock.requirements);
      if (const auto wanted = meta->find("requires"); wanted != meta->end() && wanted->is_object()) {
        lock.python = text_of(*wanted, "python_full_version");
        if (lock.python.empty()) lock.python = text_of(*wanted, "python_version");
      }
    }
    const bool is_printable = std::all_of(lock.requirements.begin(), lock.requirements.end(), is_one_line);
    return is_printable ? std::optional(std::move(lock)) : std::nullopt;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

std::optional<PipfileLock> read_pipfile_lock(const fs::path& directory) {
  try {
    const auto text = read_tree_file(directory, "Pipfile.lock", std::size_t{8} << 20);
    return text ? parse_pipfile_lock(*text) : std::nullopt;
  } catch (const UserError&) {
    return std::nullopt;  // told as a file that is not used
  }
}

}  // namespace pushrod
