#include "git/submodules.hh"

#include <fmt/format.h>

#include <limits>
#include <map>

#include "base/text.hh"
#include "git/git_command.hh"
#include "git/tree_listing.hh"

namespace pushrod {

namespace {

constexpr std::size_t kLongestPath = 4096;

// From "submodule.NAME.path" and "submodule.NAME.url"; the names mean nothing.
std::map<std::string, std::string> addresses_by_path(const Repository& repository, const CommitId& commit) {
  Command command = git_command(repository, {"config", "--blob", commit.str() + ":.gitmodules", "--null", "--list"});
  std::map<std::string, std::string> paths, urls, found;
  const auto listed = run(command);
  if (!listed.ok()) {
    UserError error(".gitmodules cannot be read", "write it as `git submodule add` does");
    error.set_evidence({escaped(listed.err, 300)});
    throw error;
  }
  for (const auto& entry : split(listed.out, '\0')) {
    const auto end = entry.find('\n');
    if (end == std::string::npos || !entry.starts_with("submodule.")) continue;
    const auto key = entry.substr(0, end);
    const auto dot = key.rfind('.');
    const auto name = key.substr(0, dot), value = entry.substr(end + 1);
    if (key.substr(dot) == ".path") paths[name] = value;
    if (key.substr(dot) == ".url") urls[name] = value;
  }
  for (const auto& [name, path] : paths) found[path] = urls[name];
  return found;
}

}  // namespace

std::vector<Submodule> submodules_of(const Repository& repository, const CommitId& commit) {
  auto addresses = addresses_by_path(repository, commit);
  std::vector<Submodule> found;
  TreeListing listing(kLongestPath);
  Command command = git_command(repository, {"ls-tree", "-r", "-t", "-z", "--full-tree", commit.str()});
  command.output_cap = std::numeric_limits<std::size_t>::max();
  command.on_output = [&](std::string_view chunk) {
    return listing.feed(chunk, [&](const TreeEntry& entry) {
      if (entry.kind != TreeEntry::Kind::Submodule) return true;
      std::string path(entry.path);
      auto url = addresses[path];
      found.push_back({std::move(path), std::move(url), CommitId::parse(std::string(entry.object))});
      return true;
    });
  };
  run_checked(command);
  return found;
}

UserError without_address(const std::string& path) {
  return UserError{
      fmt::format("{} is a git repository inside of the repository, and .gitmodules does not say where it is",
                  quoted(path, 200)),
      "make its files a part of this one (git rm --cached PATH, remove its .git, git add PATH), or add it "
      "with: git submodule add URL PATH"};
}

}  // namespace pushrod
