// The directories of an app, when it gets another name.
// Before the commit of a rename, each directory of the app gets a symlink with the new name beside it, so that
// what is started under the new name finds its files by paths that stay valid. After the commit the two change places
// (one system call), and the symlink goes. A kill in between leaves paths that lead to the same files by
// both names; these functions may be called again at any time. The caller holds the locks of both names.
#pragma once

#include "model/deployment.hh"
#include "model/layout.hh"

namespace pushrod {

// Throws UserError when the new name has data already.
void link_directories(const Layout& layout, const Renaming& renaming);
// Undoes that.
void unlink_directories(const Layout& layout, const Renaming& renaming);
void move_directories(const Layout& layout, const Renaming& renaming);

}  // namespace pushrod
