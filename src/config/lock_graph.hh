// Which packages of a lock file are for production: those that the app's own dependencies lead to. Used inside config/
// only.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "config/python_lock.hh"

namespace pushrod {

struct LockEdge {
  std::string name;
  std::string version{};  // empty: the only one that there is
  std::set<std::string> extras{};
  std::string marker{};
};

struct LockNode {
  LockedPackage package;
  bool is_installed = true;  // false: only what it leads to is
  std::vector<LockEdge> edges{};
  std::map<std::string, std::vector<LockEdge>> extras{};  // what each extra of it needs besides
};

// The packages that are reached, each with the marker under which it is; in the order of their names. Throws UserError,
// which names the file, for an edge that leads to no node, or to several.
std::vector<LockedPackage> reachable_packages(const std::vector<LockNode>& nodes, const std::vector<LockEdge>& roots,
                                              const std::string& file, const std::string& remedy);

}  // namespace pushrod
