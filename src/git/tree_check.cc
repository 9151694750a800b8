// Walks a commit's tree through git, entry by entry, and ends at the first that may not be.
// Floor 3: the pre-receive verdict.
#include "git/tree_check.hh"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/error.hh"
#include "base/text.hh"
#include "git/git_command.hh"
#include "git/tree_listing.hh"

namespace pushrod {

namespace {

std::string raise(std::string_view key) { return fmt::format("or raise {} under [limits] in server.toml.", key); }

class Walk {
 public:
  explicit Walk(const Settings& limits) : limits_(limits) {}

  // Throws UserError when the entry may not be.
  void add(const TreeEntry& entry) {
    const std::string path = quoted(entry.path, 200);
    if (entry.path.size() > limits_.path_length) {
      throw UserError(fmt::format("{} is a path of more than {} bytes", path, limits_.path_length),
                      "Shorten it, " + raise("path_length"));
    }
    if (const auto depth = 1 + std::count(entry.path.begin(), entry.path.end(), '/'); depth > limits_.tree_depth) {
      throw UserError(fmt::format("{} lies more than {} directories deep", path, limits_.tree_depth),
                      "Move it up, " + raise("tree_depth"));
    }
    if (const auto why = why_forbidden(entry)) {
      throw UserError(fmt::format("{} {}", path, *why), "Take it out of the commit, and push again.");
    }
    if (++size_.entries > limits_.tree_entries) {
      throw UserError(fmt::format("the commit has more than {} files and directories", limits_.tree_entries),
                      "Take out what need not be in the repository, " + raise("tree_entries"));
    }
    if (entry.bytes > limits_.tree_bytes - size_.bytes) {
      throw UserError(fmt::format("with {} the files of the commit are larger than {} in all", path,
                                  format_bytes(limits_.tree_bytes)),
                      "Take out what need not be in the repository, " + raise("tree_bytes"));
    }
    size_.bytes += entry.bytes;
  }
  const TreeSize& size() const { return size_; }

 private:
  const Settings& limits_;
  TreeSize size_;
};

// git takes a tag for the commit that it names; a branch does not.
void require_commit(const Repository& repository, const CommitId& id, bool quarantined) {
  Command command = git_command(repository.directory(), {"cat-file", "--batch-check=%(objecttype)"}, quarantined);
  command.input = id.str() + "\n";
  const std::string answer = run_checked(command);
  const std::string_view type = trim(answer);
  if (type == "commit") return;
  if (type == "tag" || type == "tree" || type == "blob") {
    throw UserError(fmt::format("{} is a {} and not a commit", abbreviated(id), type),
                    "Push a commit to the branch; of a tag that is <tag>^{commit}.");
  }
  throw Error(fmt::format("commit {} is not in the repository", abbreviated(id)));
}

}  // namespace

TreeSize check_tree(const Repository& repository, const CommitId& commit, const Settings& limits, bool quarantined) {
  require_commit(repository, commit, quarantined);

  Walk walk(limits);
  TreeListing listing(limits.path_length);
  Command command = git_command(repository.directory(),
                                {"ls-tree", "-r", "-t", "-l", "-z", "--full-tree", commit.str()}, quarantined);
  command.output_cap = std::numeric_limits<std::size_t>::max();
  // git's complaints, if it has any, come in the same stream; they are no entries, and then git fails.
  command.on_output = [&](std::string_view chunk) {
    return listing.feed(chunk, [&](const TreeEntry& entry) {
      walk.add(entry);
      return true;
    });
  };
  const CommandResult result = run(command);
  if (result.ok() && listing.rest().empty()) return walk.size();
  // Trees nested in a hundred thousand steps exhaust git's stack before the first entry is out.
  if (result.end == CommandResult::End::Signalled) {
    throw UserError(fmt::format("git could not walk through the tree of the commit ({})", result.describe()),
                    "It is probably nested too deeply. Make its directories flatter.");
  }
  Error error(fmt::format("git could not list the tree of commit {}: {}", abbreviated(commit), result.describe()));
  error.set_evidence({escaped(listing.rest(), 300)});
  throw error;
}

}  // namespace pushrod
