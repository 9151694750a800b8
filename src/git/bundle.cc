// A repository as one file.
#include "git/bundle.hh"

#include <fmt/format.h>

#include "base/error.hh"
#include "base/text.hh"
#include "git/git_command.hh"

namespace pushrod {

namespace {

constexpr std::chrono::hours kDeadline{6};

std::string references(const Repository& repository, const std::optional<BranchName>& only) {
  std::vector<std::string> words{"for-each-ref", "--format=%(refname)"};
  if (!only) {
    words.insert(words.end(), {"--", "refs/heads/", "refs/tags/"});
    return run_checked(git_command(repository, words));
  }
  if (!repository.head_of(*only)) return {};
  const auto ref = ref_of(*only);
  words.insert(words.end(), {"--merged=" + ref, "--", "refs/tags/"});
  return ref + "\n" + run_checked(git_command(repository, words));
}

void run_git(const Repository& repository, const std::vector<std::string>& words, const std::string& complaint) {
  auto command = git_command(repository, words);
  command.deadline = kDeadline;
  const auto result = run(command);
  if (result.ok()) return;
  UserError error(complaint, "make the archive again: app export APP > app.tar");
  error.set_evidence(git_evidence(result));
  throw error;
}

}  // namespace

bool write_bundle(const Repository& repository, const std::filesystem::path& file,
                  const std::optional<BranchName>& only) {
  const auto wanted = references(repository, only);
  if (wanted.empty()) return false;
  auto command = git_command(repository, {"bundle", "create", "--quiet", file.string(), "--stdin"});
  command.input = wanted;
  command.deadline = kDeadline;
  run_checked(command);
  return true;
}

void read_bundle(const Repository& repository, const std::filesystem::path& file,
                 const std::optional<BranchName>& only) {
  std::vector<std::string> words{"-c",        "gc.auto=0", "-c",         "maintenance.auto=false", "fetch", "--quiet",
                                 "--no-tags", "--",        file.string()};
  if (only) {
    words.push_back(fmt::format("{0}:{0}", ref_of(*only)));
  } else {
    words.insert(words.end(), {"refs/heads/*:refs/heads/*", "refs/tags/*:refs/tags/*"});
  }
  run_git(repository, words, "the repository in the archive cannot be read");
  // git 2.39 does not check the objects of a bundle while it reads them.
  run_git(repository, {"fsck", "--strict", "--no-dangling", "--no-progress"},
          "the repository in the archive is not sound");
}

void read_bundle_objects(const Repository& repository, const std::filesystem::path& file, const BranchName& branch) {
  run_git(repository,
          {"-c", "gc.auto=0", "-c", "maintenance.auto=false", "fetch", "--quiet", "--no-tags", "--", file.string(),
           fmt::format("+{}:refs/pushrod/keep/restore", ref_of(branch))},
          "the repository in the archive cannot be read");
}

}  // namespace pushrod
