// Commits that garbage collection must spare: each gets a reference that no client sees.
// Floor 3. refs/pushrod/ is hidden from clients by the repository's configuration.
#include <fmt/format.h>

#include "base/text.hh"
#include "git/git_command.hh"
#include "git/repository.hh"

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
  Command command = git_command(*this, {"-c", "core.hooksPath=/dev/null", "update-ref", "--stdin"});
  command.input = changes;
  run_checked(command);
}

}  // namespace pushrod
