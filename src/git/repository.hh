// One bare repository: its configuration, refs and history questions.
// Runs git with a scrubbed environment (no system or user configuration, no terminal prompt), "--" or
// --end-of-options before anything that a user named.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/names.hh"
#include "model/settings.hh"
#include "os/command.hh"

namespace pushrod {

class EarlyGit;

// The environment of every git that Pushrod runs: tool_environment() and GIT_CONFIG_GLOBAL=/dev/null,
// GIT_CONFIG_NOSYSTEM=1, GIT_ATTR_NOSYSTEM=1, GIT_TERMINAL_PROMPT=0, GIT_OPTIONAL_LOCKS=0. No other variable of this
// process that begins with GIT_ is passed on, except with keep_quarantine those by which receive-pack shows its
// quarantine to the pre-receive hook.
Environment git_environment(bool keep_quarantine = false);

class Repository {
 public:
  // Opens; throws Error if there is no repository. `memory`: what each git may use that reads what is in it
  // ([limits] push_memory).
  explicit Repository(std::filesystem::path directory, std::uint64_t memory = Settings{}.push_memory);

  // Creates a bare repository at the path: made beside it and renamed, so it is whole or does not exist. One that
  // exists is only configured; a directory without objects, the rest of a removed repository, is replaced.
  static Repository create(const std::filesystem::path& directory, const std::filesystem::path& hooks,
                           const Settings& settings);
  // Writes the configuration that the hooks depend on (core.hooksPath, receive.procReceiveRefs, receive.maxInputSize,
  // receive.advertisePushOptions, transfer.fsckObjects, hidden refs, no auto gc, no auto maintenance, …) and
  // info/attributes, each if it differs.
  void configure(const std::filesystem::path& hooks, const Settings& settings) const;

  const std::filesystem::path& directory() const noexcept { return directory_; }
  std::uint64_t memory() const noexcept { return memory_; }

  // What the branch names; absent if it does not exist. Packed references count. Costs no process while it is loose.
  std::optional<CommitId> head_of(const BranchName& branch) const;
  // The commit point of a push: moves refs/heads/<branch> from `from` (absent: must not exist) to `to`, durably; does
  // nothing when it names `to` already. Throws Error when it names something else meanwhile. After any other Error (a
  // disk that fails at the last flush), head_of() tells what the branch names.
  // The caller holds the locks of the branch's apps, so no other process moves it: a lock file of git's that is three
  // seconds old was left by a git that was killed, and is removed.
  // `prepared` is from prepare_move(), or null.
  void move_branch(const BranchName& branch, const CommitId& to, const std::optional<CommitId>& from,
                   EarlyGit* prepared = nullptr) const;
  // Starts the git that will move a branch, so that move_branch() need not wait for its start. It takes no lock before.
  std::unique_ptr<EarlyGit> prepare_move() const;
  // The same for its deletion; does nothing when there is no such branch.
  void delete_branch(const BranchName& branch, const std::optional<CommitId>& from) const;
  // Points HEAD at the branch, so that a clone checks it out. Does nothing if HEAD names an existing branch already.
  void set_default_branch(const BranchName& branch) const;

  bool is_ancestor(const CommitId& ancestor, const CommitId& descendant) const;
  bool is_commit(const CommitId& id) const;
  // Subject line of the commit, raw; the caller escapes it.
  std::string subject(const CommitId& commit) const;
  // The object name of a directory in the commit; of all its files for an empty path. Throws Error when there is none.
  std::string tree_of(const CommitId& commit, const std::string& path) const;
  // Makes refs/pushrod/keep/<name> name these commits, and no others: what garbage collection must not take. A commit
  // that is not there is passed over.
  void keep_commits(const std::map<std::string, CommitId>& wanted) const;
  // Removes quarantines that a killed push left more than a day ago, then collects garbage (git gc --auto, quiet, in
  // the foreground).
  void collect_garbage() const;

 private:
  std::filesystem::path directory_;
  std::uint64_t memory_;
};

// The command that serves `git push`/`git fetch` for a connection: receive-pack or upload-pack on the repository, with
// the scrubbed environment plus GIT_PROTOCOL if the client sent version 0 or 1 (anything else is dropped: with version
// 2 a fetch gets any object by its name), and `for_hooks` (PUSHROD_KEY_ID, PUSHROD_ADDRESS, …). It and everything that
// it starts, the hooks too, is confined to `memory` bytes for each process ([limits] push_memory), and is the first
// that the kernel ends when the machine's memory runs out.
enum class GitService { ReceivePack, UploadPack };
Command git_service_command(GitService service, const std::filesystem::path& repository, std::uint64_t memory,
                            const Environment& for_hooks, const std::string& git_protocol);

}  // namespace pushrod
