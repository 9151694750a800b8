// Moving and deleting branches: the commit point of a push.
// The rest of Repository is in repository.cc.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <vector>

#include "base/error.hh"
#include "base/text.hh"
#include "git/early_git.hh"
#include "git/git_command.hh"
#include "git/repository.hh"
#include "git/stale_locks.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

constexpr const char* kNoObject = "0000000000000000000000000000000000000000";

// git flushes the file of a reference before it renames it into place, but not the directory that the new name is in.
void flush_directories(fs::path directory, const fs::path& up_to) {
  while (true) {
    // Deleting a branch takes directories away that became empty.
    if (is_directory(directory)) {
      const UniqueFd fd = open_file(directory, O_RDONLY | O_DIRECTORY);
      if (fsync(fd.get()) != 0) throw_errno(fmt::format("flush {}", quoted(directory.string(), 1024)));
    }
    if (directory == up_to || !directory.has_relative_path()) return;
    directory = directory.parent_path();
  }
}

std::string named(const std::optional<CommitId>& commit) { return commit ? abbreviated(*commit) : "nothing"; }

Error not_moved(const BranchName& branch, const CommandResult& result) {
  Error error(fmt::format("git could not move branch {}: {}", quoted(branch.str()), result.describe()));
  error.set_evidence(git_evidence(result));
  return error;
}

Error moved_meanwhile(const BranchName& branch, const std::optional<CommitId>& expected,
                      const std::optional<CommitId>& found) {
  return Error(fmt::format("branch {} moved to {} in the meantime; it was at {}", quoted(branch.str()), named(found),
                           named(expected)),
               "fetch, and push again");
}

}  // namespace

std::unique_ptr<EarlyGit> Repository::prepare_move() const {
  return std::make_unique<EarlyGit>(git_command(*this, with_patience({"update-ref", "--stdin"})));
}

void Repository::move_branch(const BranchName& branch, const CommitId& to, const std::optional<CommitId>& from,
                             EarlyGit* prepared) const {
  const std::string ref = ref_of(branch);
  const fs::path file = directory_ / ref;
  const std::string before = from ? from->str() : kNoObject;
  // HEAD is locked too when it points at the branch.
  const std::vector<fs::path> locks = {lock_of(file), lock_of(directory_ / "HEAD")};
  bool moved = false;
  if (prepared != nullptr && !any_is_there(locks)) {
    moved = prepared->finish(fmt::format("update {} {} {}\n", ref, to.str(), before)).ok();
  }
  const CommandResult result =
      moved ? CommandResult{} : run_despite_stale_locks(*this, {"update-ref", "--", ref, to.str(), before}, locks);
  if (!result.ok()) {
    // What counts is what the branch names now: git may have been killed after it had moved it.
    const std::optional<CommitId> found = head_of(branch);
    if (found != to) throw found == from ? not_moved(branch, result) : moved_meanwhile(branch, from, found);
  }
  flush_directories(file.parent_path(), directory_ / "refs");
}

void Repository::delete_branch(const BranchName& branch, const std::optional<CommitId>& from) const {
  const std::string ref = ref_of(branch);
  const fs::path file = directory_ / ref;
  std::vector<std::string> arguments = {"update-ref", "-d", "--", ref};
  if (from) arguments.push_back(from->str());
  const CommandResult result = run_despite_stale_locks(
      *this, std::move(arguments), {lock_of(file), lock_of(directory_ / "HEAD"), lock_of(directory_ / "packed-refs")});
  if (!result.ok()) {
    const std::optional<CommitId> found = head_of(branch);
    if (found) throw !from || found == from ? not_moved(branch, result) : moved_meanwhile(branch, from, found);
  }
  flush_directories(file.parent_path(), directory_);
}

void Repository::set_default_branch(const BranchName& branch) const {
  constexpr std::string_view kSymbolic = "ref: ";
  const fs::path head = directory_ / "HEAD";
  const std::string text(trim(read_file(head, 4096).value_or("")));
  const auto named =
      text.starts_with(kSymbolic) ? branch_of(std::string_view(text).substr(kSymbolic.size())) : std::nullopt;
  if (named && head_of(*named)) return;
  const CommandResult result =
      run_despite_stale_locks(*this, {"symbolic-ref", "HEAD", ref_of(branch)}, {lock_of(head)});
  if (result.ok()) return;
  Error error(fmt::format("git could not point HEAD at branch {}: {}", quoted(branch.str()), result.describe()));
  error.set_evidence(git_evidence(result));
  throw error;
}

}  // namespace pushrod
