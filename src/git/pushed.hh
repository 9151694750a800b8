// What a push would bring, asked while its objects are still in quarantine.
// Used by the pre-receive hook. Only write_directory() writes.
#pragma once

#include <filesystem>
#include <string>

#include "git/repository.hh"

namespace pushrod {

// Where receive-pack keeps the objects of the push whose hook this is. It removes this directory, with everything in
// it, when the push is refused. Absent outside of a hook.
std::optional<std::filesystem::path> quarantine_directory();

struct PushedCommits {
  std::string subject;        // of the newest, raw
  std::uint64_t added = 0;    // that the branch did not have
  std::uint64_t dropped = 0;  // that it has no more (a forced push)
};
PushedCommits pushed_commits(const Repository& repository, const std::optional<CommitId>& before,
                             const CommitId& after);

// True when the commit comes from a shallow clone and brings the first commits of that clone, whose history is missing:
// git will refuse it. Starts no process unless a shallow clone is being pushed.
bool lacks_history(const Repository& repository, const CommitId& after);

// Writes what lies in one directory of a commit ("" is the root) into `into`, which is made: plain files as they are
// up to 16 MiB each and 32 MiB in all, larger ones as empty ones of their size, symbolic links as such to nowhere,
// directories empty. Enough to tell how an app would be built. The commit has passed check_tree(). Throws UserError
// when it has no such directory.
void write_directory(const Repository& repository, const CommitId& commit, const std::string& path,
                     const std::filesystem::path& into);

}  // namespace pushrod
