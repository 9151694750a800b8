// Making room on the disk: removes what can go without harm, the oldest first.
// That is: releases other than those of the live build, the one before it and those in use; build caches; spares; kept
// builds. The tidier does it when less is free than [retention] free_space, and `prune` at an operator's request. After
// a crash, a part of it is removed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "deploy/platform.hh"

namespace pushrod {

struct Removed {
  AppName app;
  std::string what;  // "release 3", "build cache", "spare checkout", "kept build"
  std::uint64_t bytes = 0;
};

// Removes until so many bytes are free, or nothing is left to remove. An app that is being deployed is left out. With
// `only`, of this app alone.
std::vector<Removed> make_room(const Platform& platform, std::uint64_t wanted, const std::optional<App>& only = {});

// Throws UserError, with the figures, when the disk has no room to deploy a commit of this size: twice its files for
// each app (they are checked out, then built), beside [retention] free_space.
void check_room(const Platform& platform, std::uint64_t tree_bytes, std::size_t apps);

}  // namespace pushrod
