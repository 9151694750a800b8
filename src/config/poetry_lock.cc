// poetry.lock → the packages of production. Since Poetry 2 the file says which they are and on which machines they are
// wanted; before, the dependencies in pyproject.toml are followed through it.
#include <fmt/format.h>

#include <algorithm>

#include "base/error.hh"
#include "base/text.hh"
#include "config/lock_graph.hh"
#include "config/toml_section.hh"
#include "config/toml_values.hh"

namespace pushrod {

namespace {

constexpr const char* kFile = "poetry.lock";
constexpr const char* kRemedy = "run poetry lock with Poetry 2, and commit it; or poetry export -o requirements.txt";

void add_files(const toml::table& table, std::string_view key, std::vector<LockedFile>& files) {
  each_toml_table(table, key, [&](const toml::table& file) {
    if (auto hash = toml_text(file, "hash"); !hash.empty()) files.push_back({toml_text(file, "file"), std::move(hash)});
  });
}

void take_source(const toml::table& source, LockedPackage& package, PythonLock& lock) {
  const auto type = toml_text(source, "type");
  const auto url = toml_text(source, "url");
  if (type.empty()) lock.uses_pypi = true;
  if (type == "legacy") {
    if (std::find(lock.indexes.begin(), lock.indexes.end(), url) == lock.indexes.end()) lock.indexes.push_back(url);
  } else if (type == "git") {
    package.place = "git+" + url + "@" + toml_text(source, "resolved_reference");
    if (const auto inner = toml_text(source, "subdirectory"); !inner.empty()) package.place += "#subdirectory=" + inner;
  } else if (type == "directory" || type == "file") {
    package.place = url.starts_with('.') || url.starts_with('/') ? url : "./" + url;
  } else if (type == "url") {
    package.place = url;
  }
}

LockedPackage package_of(const toml::table& table, const toml::table& files, PythonLock& lock) {
  const auto written = toml_text(table, "name");
  LockedPackage package{.name = normal_python_name(written), .version = toml_text(table, "version")};
  add_files(table, "files", package.files);
  if (package.files.empty()) add_files(files, written, package.files);  // Poetry before 1.3
  take_source(toml_table(table, "source"), package, lock);
  return package;
}

// Of a package that is there for several groups, `markers` is a table.
std::string marker_of(const toml::table& table) {
  const auto& by_group = toml_table(table, "markers");
  return by_group.empty() ? toml_text(table, "markers") : toml_text(by_group, "main");
}

bool is_in_main(const toml::table& table) {
  const auto groups = toml_texts(table, "groups");
  return !toml_flag(table, "optional") && std::find(groups.begin(), groups.end(), "main") != groups.end();
}

// Markers know no extras where a package is named by itself, so "extra == 'x'" becomes a word that is true or false.
std::string with_extra(std::string marker, const std::string& extra) {
  std::size_t at = 0;
  while ((at = marker.find("extra", at)) != std::string::npos) {
    const auto open = marker.find_first_of("\"'", at);
    const auto close = open == std::string::npos ? open : marker.find(marker[open], open + 1);
    if (close == std::string::npos) break;
    const bool holds = marker.substr(open + 1, close - open - 1) == extra;
    const std::string word = holds ? "python_version >= \"3\"" : "python_version < \"3\"";
    marker.replace(at, close + 1 - at, word);
    at += word.size();
  }
  return marker;
}

std::set<std::string> extras_in(const std::string& marker) {
  std::set<std::string> extras;
  for (auto at = marker.find("extra"); at != std::string::npos; at = marker.find("extra", at + 1)) {
    const auto open = marker.find_first_of("\"'", at);
    const auto close = open == std::string::npos ? open : marker.find(marker[open], open + 1);
    if (close != std::string::npos) extras.insert(marker.substr(open + 1, close - open - 1));
  }
  return extras;
}

// A dependency is a version, a table, or a list of tables.
template <class Act>
void each_dependency(const toml::table& dependencies, Act act) {
  static const toml::table kNothing;
  for (const auto& [name, value] : dependencies) {
    const auto normal = normal_python_name(name.str());
    if (const auto* table = value.as_table()) {
      act(normal, *table);
    } else if (const auto* list = value.as_array()) {
      for (const auto& each : *list) act(normal, each.is_table() ? *each.as_table() : kNothing);
    } else {
      act(normal, kNothing);
    }
  }
}

LockEdge edge_to(const std::string& name, const toml::table& dependency) {
  LockEdge edge{.name = name, .marker = toml_text(dependency, "markers")};
  for (auto& extra : toml_texts(dependency, "extras")) edge.extras.insert(std::move(extra));
  const auto platform = toml_text(dependency, "platform");
  if (!platform.empty() && edge.marker.empty()) edge.marker = fmt::format("sys_platform == \"{}\"", platform);
  return edge;
}

void add_edges(const toml::table& dependencies, LockNode& node) {
  each_dependency(dependencies, [&](const std::string& name, const toml::table& dependency) {
    const auto edge = edge_to(name, dependency);
    const auto extras = extras_in(edge.marker);
    if (extras.empty() && !toml_flag(dependency, "optional")) node.edges.push_back(edge);
    for (const auto& extra : extras) {
      auto wanted = edge;
      wanted.marker = with_extra(edge.marker, extra);
      node.extras[extra].push_back(std::move(wanted));
    }
  });
}

std::vector<LockEdge> roots_in(const toml::table& project) {
  std::vector<LockEdge> roots;
  for (const auto& requirement : toml_texts(toml_table(project, "project"), "dependencies")) {
    LockEdge edge{.name = python_requirement_name(requirement)};
    if (const auto open = requirement.find('['), close = requirement.find(']');
        open < close && close != requirement.npos) {
      for (const auto& extra : split(requirement.substr(open + 1, close - open - 1), ','))
        edge.extras.emplace(trim(extra));
    }
    if (const auto marker = requirement.find(';'); marker != requirement.npos) {
      edge.marker = trim(std::string_view(requirement).substr(marker + 1));
    }
    roots.push_back(std::move(edge));
  }
  const auto& poetry = toml_table(toml_table(project, "tool"), "poetry");
  each_dependency(toml_table(poetry, "dependencies"), [&](const std::string& name, const toml::table& dependency) {
    if (name != "python" && !toml_flag(dependency, "optional")) roots.push_back(edge_to(name, dependency));
  });
  return roots;
}

}  // namespace

PythonLock parse_poetry_lock(const std::string& text, const std::string& pyproject) {
  const TomlDocument document(text, kFile);
  const TomlDocument manifest(pyproject, "pyproject.toml");
  const auto& files = toml_table(toml_table(document.table(), "metadata"), "files");
  PythonLock lock;
  std::vector<LockNode> nodes;
  bool tells_groups = false;
  each_toml_table(document.table(), "package", [&](const toml::table& table) {
    LockNode node{.package = package_of(table, files, lock)};
    if (table.contains("groups")) {
      tells_groups = true;
      node.package.marker = marker_of(table);
      if (is_in_main(table)) lock.packages.push_back(node.package);
    }
    add_edges(toml_table(table, "dependencies"), node);
    nodes.push_back(std::move(node));
  });
  if (!tells_groups) lock.packages = reachable_packages(nodes, roots_in(manifest.table()), kFile, kRemedy);
  return lock;
}

}  // namespace pushrod
