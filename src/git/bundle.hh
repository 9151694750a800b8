// A repository as one file (git-bundle): how the archive of an app carries its code.
#pragma once

#include <filesystem>
#include <optional>

#include "git/repository.hh"

namespace pushrod {

// Writes branches and tags to the file: all of them, or with `only` this branch and the tags that it contains. False,
// and no file, when there are none.
bool write_bundle(const Repository& repository, const std::filesystem::path& file,
                  const std::optional<BranchName>& only);

// Takes the branches and tags of the file into the repository, or with `only` this branch alone; a reference that is
// there must not change. Then checks every object. Throws UserError for a file that is no sound bundle.
void read_bundle(const Repository& repository, const std::filesystem::path& file,
                 const std::optional<BranchName>& only);

// Takes the objects of the branch in the file alone, under a reference that no client sees, until garbage is collected.
void read_bundle_objects(const Repository& repository, const std::filesystem::path& file, const BranchName& branch);

}  // namespace pushrod
