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

bool is_one_line(const std::string& text) {
  return std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

}  // namespace

std::optional<PipfileLock> parse_pipfile_lock(const std::string& text) {
  try {
    const Json json = Json::parse(text);
    PipfileLock lock;
    for (const auto& [name, package] : json.at("default").items()) {
      auto line = requirement(name, package);
      if (line.empty()) return std::nullopt;
      lock.requirements.push_back(std::move(line));
    }
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
