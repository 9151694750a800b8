// From a commit to a working directory.
// git itself writes the tree (read-tree -u with an index of its own), so it handles modes, symlinks and unusual names.
// The tree has no .git in it.
//
// The spare: writing 20,000 files takes a second, and a push changes a few. So after a deployment of a large app the
// daemon's tidier (deploy/tidy.hh) writes the live commit once more into cache/<app>/spare, with its index beside it.
// The next deployment renames that into place and lets git write only what differs from the new commit. No program of
// an app has run in a spare, so it is as clean as a new checkout. It may be deleted at any moment. The file "commit" in
// it is written last, after the rest is on the disk. A spare without that file, or from before the last boot (what the
// deployment that uses it changes is not flushed), is never used.
#pragma once

#include <filesystem>
#include <string>

#include "git/repository.hh"

namespace pushrod {

// Writes the commit's tree into `tree`, which must not exist (its parent must). Uses up the spare, if there is a usable
// one. When it throws, `tree` may exist in part; the caller removes it.
void write_checkout(const Repository& repository, const CommitId& commit, const std::filesystem::path& tree,
                    const std::filesystem::path& spare);

// Makes a spare of the commit, unless the spare is already of that commit. One caller at a time for each spare (the
// tidier); write_checkout() may take the spare meanwhile. Low priority (nice 10, idle input/output class).
void prepare_spare(const Repository& repository, const CommitId& commit, const std::filesystem::path& spare);

}  // namespace pushrod
