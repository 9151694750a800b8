// From a commit to a working directory.
// The tree is written by git itself (read-tree -u with an index of its own), so that modes, symlinks and odd
// names are git's business; there is no .git in it.
//
// The spare: writing 20,000 files takes a second, and a push changes a few. So after a deployment the reconciler writes
// the live commit once more into cache/<app>/spare, with its index beside it, and the next deployment renames that into
// place and lets git write only what differs from the commit, in the index or on the disk. Nothing has ever
// run in a spare: it is as clean as a new checkout. It is safe to delete at any moment, and one that was left half
// made, or that was made before the last boot (it is not flushed to the disk), is never used: the file "commit" in it,
// written last, is what makes it one.
#pragma once

#include <filesystem>
#include <string>

#include "git/repository.hh"

namespace pushrod {

// Writes the commit's tree into `tree`, which must not exist (its parent must). Uses up the spare, if there is a good
// one. When it throws, `tree` may be there in part; the caller removes it.
void write_checkout(const Repository& repository, const CommitId& commit, const std::filesystem::path& tree,
                    const std::filesystem::path& spare);

// Makes a spare of the commit if there is none of just that commit. One caller at a time for a spare (the reconciler);
// write_checkout() may take the spare meanwhile. Low priority (nice 10, idle input/output class).
void prepare_spare(const Repository& repository, const CommitId& commit, const std::filesystem::path& spare);

}  // namespace pushrod
