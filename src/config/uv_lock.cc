// uv.lock → the packages of production: what the package at "." leads to.
#include <fmt/format.h>

#include <algorithm>

#include "base/error.hh"
#include "base/text.hh"
#include "config/lock_graph.hh"
#include "config/toml_section.hh"
#include "config/toml_values.hh"

namespace pushrod {

namespace {

constexpr const char* kFile = "uv.lock";
constexpr const char* kRemedy = "run uv lock, and commit it";
constexpr std::string_view kPyPi = "https://pypi.org/simple";

std::string name_in_url(const std::string& url) {
  const auto end = std::min(url.find_first_of("?#"), url.size());
  const auto slash = url.rfind('/', end);
  return url.substr(slash == std::string::npos ? 0 : slash + 1, end - (slash == std::string::npos ? 0 : slash + 1));
}

void add_file(const toml::table& file, std::vector<LockedFile>& files) {
  auto name = toml_text(file, "url");
  if (name.empty()) name = toml_text(file, "path");
  if (auto hash = toml_text(file, "hash"); !hash.empty()) files.push_back({name_in_url(name), std::move(hash)});
}

// "https://x.example/a.git?subdirectory=b&rev=main#0a1b" → "git+https://x.example/a.git@0a1b#subdirectory=b"
std::string git_place(const std::string& source) {
  const auto hash = source.find('#');
  const auto query = source.find('?');
  std::string place = "git+";
  place.append(source, 0, std::min({query, hash, source.size()}));
  if (hash != std::string::npos) place += "@" + source.substr(hash + 1);
  constexpr std::string_view kKey = "subdirectory=";
  if (const auto found = source.find(kKey); found != std::string::npos && found < hash) {
    const auto end = std::min({source.find('&', found), hash, source.size()});
    place += "#" + source.substr(found, end - found);
  }
  return place;
}

std::string local_place(const std::string& path) { return path.starts_with('.') ? path : "./" + path; }

struct Source {
  std::string registry;
  std::string own;  // a directory of the app's: its path
  bool is_installed = true;
};
Source take_source(const toml::table& source, LockedPackage& package) {
  Source found{.registry = toml_text(source, "registry"), .own = {}};
  for (const char* key : {"virtual", "editable", "directory"}) {
    if (auto path = toml_text(source, key); !path.empty()) {
      found.own = path;
      found.is_installed = std::string_view(key) != "virtual" && path != ".";
      package.place = local_place(path);
    }
  }
  if (const auto git = toml_text(source, "git"); !git.empty()) package.place = git_place(git);
  if (const auto url = toml_text(source, "url"); !url.empty()) package.place = url;
  if (const auto path = toml_text(source, "path"); !path.empty()) package.place = local_place(path);
  return found;
}

std::vector<LockEdge> edges_of(const toml::table& table, const std::string& key) {
  std::vector<LockEdge> edges;
  each_toml_table(table, key, [&](const toml::table& each) {
    LockEdge edge{.name = normal_python_name(toml_text(each, "name")),
                  .version = toml_text(each, "version"),
                  .marker = toml_text(each, "marker")};
    for (auto& extra : toml_texts(each, "extra")) edge.extras.insert(std::move(extra));
    edges.push_back(std::move(edge));
  });
  return edges;
}

void add_index(const std::string& registry, PythonLock& lock) {
  if (registry.empty()) return;
  if (registry == kPyPi || registry == std::string(kPyPi) + "/") {
    lock.uses_pypi = true;
    return;
  }
  const auto index = registry.find("://") == std::string::npos ? local_place(registry) : registry;
  if (std::find(lock.indexes.begin(), lock.indexes.end(), index) == lock.indexes.end()) lock.indexes.push_back(index);
}

}  // namespace

PythonLock parse_uv_lock(const std::string& text) {
  const TomlDocument document(text, kFile);
  PythonLock lock;
  std::vector<LockNode> nodes;
  std::vector<LockEdge> roots;
  std::vector<LockEdge> members;
  bool has_root = false;
  each_toml_table(document.table(), "package", [&](const toml::table& table) {
    LockNode node;
    node.package.name = normal_python_name(toml_text(table, "name"));
    node.package.version = toml_text(table, "version");
    const auto source = take_source(toml_table(table, "source"), node.package);
    node.is_installed = source.is_installed;
    node.edges = edges_of(table, "dependencies");
    const auto& extras = toml_table(table, "optional-dependencies");
    for (const auto& [extra, unused] : extras) {
      node.extras[std::string(extra.str())] = edges_of(extras, std::string(extra.str()));
    }
    add_index(source.registry, lock);
    if (const auto* sdist = table.get_as<toml::table>("sdist")) add_file(*sdist, node.package.files);
    each_toml_table(table, "wheels", [&](const toml::table& file) { add_file(file, node.package.files); });
    if (source.own == ".") {
      has_root = true;
      roots = node.edges;
    } else if (!source.own.empty()) {
      members.push_back({.name = node.package.name});
    }
    nodes.push_back(std::move(node));
  });
  if (!has_root) roots = members;  // a workspace whose root is no package
  for (const auto& root : roots) lock.roots.push_back(root.name);
  lock.packages = reachable_packages(nodes, roots, kFile, kRemedy);
  return lock;
}

}  // namespace pushrod
