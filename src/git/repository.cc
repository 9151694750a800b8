// Making, configuring and asking one bare repository.
// Moving its branches is in branches.cc, serving it to a client in service.cc.
#include "git/repository.hh"

#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "base/error.hh"
#include "base/text.hh"
#include "git/git_command.hh"
#include "git/repository_config.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

constexpr const char* kNewMark = ".new.";

// These count over every .gitattributes: files are checked out as they are stored, byte by byte. Line ends, "$Id$" and
// encodings that are filled in can make a checkout eight times as large as the limits on a push allow. The encoding
// cannot be set to false, only be left unspecified.
constexpr const char* kAttributes =
    "# Written by Pushrod, and written anew whenever it differs.\n"
    "* -text -ident -filter !eol !working-tree-encoding\n";

// What a create() that was killed has left beside the repository.
void remove_abandoned_drafts(const fs::path& directory) {
  const std::string prefix = directory.filename().string() + kNewMark;
  for (const std::string& name : list_directory(directory.parent_path())) {
    if (!name.starts_with(prefix)) continue;
    const auto pid = parse_unsigned(std::string_view(name).substr(prefix.size()));
    if (!pid || *pid > 0x7fffffff) continue;
    if (kill(static_cast<pid_t>(*pid), 0) != 0 && errno == ESRCH) remove_tree(directory.parent_path() / name);
  }
}

// What a loose reference holds: forty digits and a newline.
std::optional<CommitId> object_name_in(const std::string& text) {
  constexpr std::size_t kObjectName = 40;
  if (text.size() != kObjectName + 1 || text.back() != '\n') return std::nullopt;
  if (text.find_first_not_of("0123456789abcdef") != kObjectName) return std::nullopt;
  return CommitId::parse(std::string_view(text).substr(0, kObjectName));
}

// Asks a yes-or-no question that git answers with exit code 0 or 1.
bool ask(const Command& command, const char* question) {
  const CommandResult result = run(command);
  if (result.end == CommandResult::End::Exited && result.code <= 1) return result.code == 0;
  Error error(fmt::format("git could not tell {}: {}", question, result.describe()));
  error.set_evidence(git_evidence(result));
  throw error;
}

}  // namespace

Repository::Repository(fs::path directory, std::uint64_t memory) : directory_(std::move(directory)), memory_(memory) {
  if (!is_plain_file(directory_ / "HEAD") || !is_directory(directory_ / "objects")) {
    throw Error(fmt::format("there is no git repository at {}", quoted(directory_.string(), 1024)));
  }
}

Repository Repository::create(const fs::path& directory, const fs::path& hooks, const Settings& settings) {
  // A git that goes on while its repository is removed may make directories for a reference anew: nothing is stored.
  if (is_directory(directory) && !is_directory(directory / "objects")) remove_tree(directory);
  if (!is_directory(directory)) {
    make_directory(directory.parent_path());
    remove_abandoned_drafts(directory);
    const fs::path draft = directory.string() + kNewMark + std::to_string(getpid());
    remove_tree(draft);
    Command init;
    init.argv = {"git",     "-c",          "core.fsync=all",        "init", "--bare",
                 "--quiet", "--template=", "--initial-branch=main", "--",   draft.string()};
    init.environment = git_environment();
    run_checked(init);
    Repository(draft).configure(hooks, settings);
    try {
      rename_path(draft, directory);
    } catch (const SystemError&) {
      remove_tree(draft);
      // Another process was quicker: then it is there, and as good.
      if (!is_directory(directory)) throw;
    }
  }
  Repository repository(directory);
  repository.configure(hooks, settings);
  return repository;
}

void Repository::configure(const fs::path& hooks, const Settings& settings) const {
  const fs::path file = directory_ / "config";
  const std::string wanted = render_repository_config(hooks, settings);
  if (read_file(file) != wanted) write_file(file, wanted);
  const fs::path attributes = directory_ / "info" / "attributes";
  make_directory(attributes.parent_path());
  if (read_file(attributes) != kAttributes) write_file(attributes, kAttributes);
}

std::optional<CommitId> Repository::head_of(const BranchName& branch) const {
  const std::string ref = ref_of(branch);
  const fs::path loose = directory_ / ref;
  // A loose reference is the truth, and reading it costs no process. Anything but a plain object name in it (a symbolic
  // reference) and a missing file (packed, or no such branch) are for git to tell.
  const bool is_loose = is_plain_file(loose);
  if (is_loose) {
    const std::string text = read_file(loose, 4096).value_or("");
    if (auto id = object_name_in(text)) return id;
  }
  // The pattern also matches what lies below the name, as in "a" and "a/b"; none of its characters is special.
  const std::string answer =
      run_checked(git_command(*this, {"for-each-ref", "--format=%(objectname) %(refname)", "--", ref}));
  for (const std::string& line : lines_of(answer)) {
    const std::size_t space = line.find(' ');
    if (space != std::string::npos && line.substr(space + 1) == ref) return CommitId::parse(line.substr(0, space));
  }
  // git leaves a reference out that it cannot read. Absent is not the answer then.
  if (is_loose && is_plain_file(loose)) {
    throw Error(fmt::format("branch {} is broken: {} does not contain an object name", quoted(branch.str()),
                            quoted(loose.string(), 1024)),
                "remove that file, and push the branch again");
  }
  return std::nullopt;
}

bool Repository::is_ancestor(const CommitId& ancestor, const CommitId& descendant) const {
  return ask(git_command(*this, {"merge-base", "--is-ancestor", ancestor.str(), descendant.str()}),
             "whether one commit descends from the other");
}

bool Repository::is_commit(const CommitId& id) const {
  Command command = git_command(*this, {"cat-file", "--batch-check=%(objecttype)"});
  command.input = id.str() + "\n";
  return run_checked(command) == "commit\n";
}

std::string Repository::subject(const CommitId& commit) const {
  // A commit message may be as long as a push; only its beginning is wanted.
  constexpr std::size_t kLongest = 1024;
  std::string text;
  Command command = git_command(*this, {"log", "-1", "--no-show-signature", "--format=%s", commit.str()});
  command.on_output = [&](std::string_view chunk) {
    text += chunk.substr(0, kLongest - text.size());
    return text.size() < kLongest;
  };
  const CommandResult result = run(command);
  if (!result.ok() && result.end != CommandResult::End::Stopped) {
    Error error(fmt::format("git could not read commit {}: {}", abbreviated(commit), result.describe()));
    error.set_evidence({plain_text(text)});
    throw error;
  }
  return text.substr(0, text.find('\n'));
}

std::string Repository::tree_of(const CommitId& commit, const std::string& path) const {
  const auto answer = run_checked(git_command(*this, {"rev-parse", "--verify", commit.str() + ":" + path}));
  return std::string(trim(answer));
}

}  // namespace pushrod
