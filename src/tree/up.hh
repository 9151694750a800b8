// The start of the tree.
#pragma once

#include <string>

#include "tree/context.hh"

namespace pushrod {

struct UpRequest {
  std::string http, ssh;  // listen addresses; empty: as server.toml says
  bool no_ssh = false;
};

// Prepares the root directory, then becomes s6-svscan; at a terminal it runs s6-svscan and returns its exit code.
// Throws UserError when the machine lacks something, or when a tree is running on this root directory.
int up(Context& context, const UpRequest& request);

}  // namespace pushrod
