// The submodules of a commit: where they lie, and where to get them.
#pragma once

#include <string>
#include <vector>

#include "base/error.hh"
#include "git/repository.hh"

namespace pushrod {

struct Submodule {
  std::string path;
  std::string url;  // as .gitmodules has it; empty: it has none
  CommitId commit;
};

// By path. Lists the whole commit: call it only for one with a .gitmodules.
std::vector<Submodule> submodules_of(const Repository& repository, const CommitId& commit);

// A submodule with no address: usually a clone that was added to the commit by mistake.
UserError without_address(const std::string& path);

}  // namespace pushrod
