// Collecting garbage, and the commits that it must spare: each gets a reference that no client sees.
// refs/pushrod/ is hidden from clients by the repository's configuration.
#include <fmt/format.h>
#include <sys/stat.h>

#include <chrono>

#include "base/error.hh"
#include "base/text.hh"
#include "git/git_command.hh"
#include "git/repository.hh"
#include "git/stale_locks.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

constexpr std::string_view kKept = "refs/pushrod/keep/";

std::map<std::string, std::string> kept_references(const Repository& repository) {
  const auto answer = run_checked(
      git_command(repository, {"for-each-ref", "--format=%(objectname) %(refname)", "--", std::string(kKept)}));
  std::map<std::string, std::string> references;
  for (const auto& line : lines_of(answer)) {
    const auto space = line.find(' ');
    if (space != std::string::npos) references.emplace(line.substr(space + 1), line.substr(0, space));
  }
  return references;
}

// Objects of pushes whose receive-pack was killed: it had no time to remove its quarantine, and git itself waits for
// two weeks. No push takes that long to arrive.
void remove_abandoned_quarantines(const fs::path& objects) {
  constexpr auto kAbandonedAfter = std::chrono::hours{24};
  for (const std::string& name : list_directory(objects)) {
    if (!name.starts_with("tmp_objdir-")) continue;
    struct stat status {};
    if (lstat((objects / name).c_str(), &status) != 0) continue;
    const auto age = std::chrono::system_clock::now() - std::chrono::system_clock::from_time_t(status.st_mtime);
    if (age > kAbandonedAfter) remove_tree(objects / name);
  }
}

// What a git that changes kept references locks: one that was killed may have left a hundred of these.
std::vector<fs::path> kept_locks(const fs::path& repository) {
  std::vector<fs::path> locks{lock_of(repository / "packed-refs"), lock_of(repository / "HEAD")};
  std::error_code error;
  for (fs::recursive_directory_iterator at(repository / kKept, error), end; !error && at != end; at.increment(error)) {
    if (at->path().extension() == ".lock") locks.push_back(at->path());
  }
  return locks;
}

}  // namespace

void Repository::keep_commits(const std::map<std::string, CommitId>& wanted) const {
  auto stale = kept_references(*this);
  std::string changes;
  for (const auto& [name, commit] : wanted) {
    const auto reference = std::string(kKept) + name;
    const auto present = stale.find(reference);
    const bool is_right = present != stale.end() && present->second == commit.str();
    // One that is lost already cannot be kept, and must not keep the others from it.
    if (!is_right && is_commit(commit)) changes += fmt::format("update {} {}\n", reference, commit.str());
    if (present != stale.end()) stale.erase(present);
  }
  for (const auto& [reference, object] : stale) changes += fmt::format("delete {} {}\n", reference, object);
  if (changes.empty()) return;
  const auto result = run_despite_stale_locks(*this, {"-c", "core.hooksPath=/dev/null", "update-ref", "--stdin"},
                                              kept_locks(directory_), changes);
  if (result.ok()) return;
  Error error(fmt::format("git could not keep the commits of releases: {}", result.describe()));
  error.set_evidence(git_evidence(result));
  throw error;
}

void Repository::collect_garbage() const {
  remove_abandoned_quarantines(directory_ / "objects");
  // gc.auto is 0 in the config file, so that no push ever waits for a collection; here it gets its usual value.
  const auto result = run_despite_stale_locks(*this,
                                              {"-c", "gc.auto=6700", "-c", "gc.autoDetach=false", "-c",
                                               "pack.threads=" + few_threads(), "gc", "--auto", "--quiet"},
                                              kept_locks(directory_), {}, std::chrono::hours{1});
  if (result.ok()) return;
  Error error(fmt::format("git could not collect garbage: {}", result.describe()));
  error.set_evidence(git_evidence(result));
  throw error;
}

}  // namespace pushrod
