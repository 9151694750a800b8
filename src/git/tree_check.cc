// Walks a commit's tree through git, entry by entry, ends at the first that may not be, and then adds up the files.
// The pre-receive verdict.
#include "git/tree_check.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include "base/error.hh"
#include "base/text.hh"
#include "git/early_git.hh"
#include "git/git_command.hh"
#include "git/submodules.hh"
#include "git/tree_listing.hh"

namespace pushrod {

namespace {

constexpr std::size_t kObjectName = 40;
using ObjectName = std::array<char, kObjectName>;

struct Blob {
  ObjectName name;
  std::uint64_t times = 1;  // how many paths have it
  std::uint64_t bytes = 0;
};

std::string raise(std::string_view key) { return fmt::format("or raise {} in [limits] of server.toml", key); }

// Throws UserError when the entry may not be, independent of the rest of the commit.
void check_entry(const TreeEntry& entry, const Settings& limits) {
  const auto path = [&] { return quoted(entry.path, 200); };
  if (entry.path.size() > limits.path_length) {
    throw UserError(fmt::format("path {} is longer than {} bytes", path(), limits.path_length),
                    "shorten it, " + raise("path_length"));
  }
  if (const auto depth = 1 + std::count(entry.path.begin(), entry.path.end(), '/'); depth > limits.tree_depth) {
    throw UserError(fmt::format("{} is nested deeper than {} directories", path(), limits.tree_depth),
                    "move it up, " + raise("tree_depth"));
  }
  if (const auto why = why_forbidden(entry)) {
    throw UserError(fmt::format("{} {}", path(), *why), "remove it from the commit, and push again");
  }
}

Error cannot_list(const CommitId& commit, const CommandResult& result, const std::string& said) {
  Error error(fmt::format("git could not list the tree of commit {}: {}", abbreviated(commit), result.describe()));
  error.set_evidence({escaped(said, 300)});
  return error;
}

// Shows every entry to take, until that returns false. Memory does not grow with the tree: an entry is forgotten when
// it has been shown. git's complaints, if it has any, come in the same stream; they are no entries, and then git fails.
void list_tree(const Repository& repository, const CommitId& commit, const Settings& limits, bool quarantined,
               const std::function<bool(const TreeEntry&)>& take) {
  TreeListing listing(limits.path_length);
  bool wanted_more = true;
  Command command = git_command(repository, {"ls-tree", "-r", "-t", "-z", "--full-tree", commit.str()}, quarantined);
  command.output_cap = std::numeric_limits<std::size_t>::max();
  command.on_output = [&](std::string_view chunk) { return wanted_more = listing.feed(chunk, take); };
  const CommandResult result = run(command);
  if (!wanted_more || (result.ok() && listing.rest().empty())) return;
  // Trees nested in a hundred thousand steps exhaust git's stack before the first entry is out.
  if (result.end == CommandResult::End::Signalled) {
    throw UserError(fmt::format("git could not read the tree of the commit ({})", result.describe()),
                    "its directories are probably nested too deeply: move them up");
  }
  throw cannot_list(commit, result, listing.rest());
}

// Each blob once, however many paths have it: a size that is looked up per path would let a few loose objects with
// 200,000 paths cost seconds.
void merge_same(std::vector<Blob>& blobs) {
  std::sort(blobs.begin(), blobs.end(), [](const Blob& one, const Blob& other) { return one.name < other.name; });
  std::vector<Blob> merged;
  for (const Blob& blob : blobs) {
    if (!merged.empty() && merged.back().name == blob.name) {
      merged.back().times += blob.times;
    } else {
      merged.push_back(blob);
    }
  }
  blobs = std::move(merged);
}

Command looking_up(const Repository& repository, bool quarantined) {
  Command command =
      git_command(repository, {"cat-file", "--buffer", "--batch-check=%(objecttype) %(objectsize)"}, quarantined);
  command.output_cap = std::numeric_limits<std::size_t>::max();
  return command;
}

// Asks for the type of the commit and the sizes of the blobs, in one go.
void look_up(EarlyGit& git, const CommitId& commit, std::vector<Blob>& blobs) {
  std::string input;
  input.reserve((blobs.size() + 1) * (kObjectName + 1));
  input += commit.str() + "\n";
  for (const Blob& blob : blobs) input.append(blob.name.data(), blob.name.size()) += '\n';
  const CommandResult result = git.finish(input);
  const std::string& output = result.out;
  if (!result.ok()) throw cannot_list(commit, result, result.err);

  std::string_view rest = output;
  const auto next_line = [&rest] {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return line;
  };
  const std::string_view about_commit = next_line();
  // git takes a tag for the commit that it names; a branch does not.
  const std::string_view type = about_commit.substr(0, about_commit.find(' '));
  if (type != "commit") {
    throw UserError(fmt::format("{} is a {}, not a commit", abbreviated(commit), type),
                    "push a commit to the branch (for a tag: <tag>^{commit})");
  }
  for (Blob& blob : blobs) {
    constexpr std::string_view kBlob = "blob ";
    const std::string_view line = next_line();
    const auto bytes = line.starts_with(kBlob) ? parse_unsigned(line.substr(kBlob.size())) : std::nullopt;
    if (!bytes) throw cannot_list(commit, result, std::string(line));
    blob.bytes = *bytes;
  }
}

std::uint64_t total_bytes(const std::vector<Blob>& blobs) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t total = 0;
  for (const Blob& blob : blobs) {
    std::uint64_t product = 0;
    if (__builtin_mul_overflow(blob.bytes, blob.times, &product)) return kMost;
    if (__builtin_add_overflow(total, product, &total)) return kMost;
  }
  return total;
}

}  // namespace

TreeSize check_tree(const Repository& repository, const CommitId& commit, const Settings& limits, bool quarantined) {
  TreeSize size;
  std::vector<Blob> blobs;
  std::string submodule;
  bool has_addresses = false;
  EarlyGit sizes(looking_up(repository, quarantined));
  list_tree(repository, commit, limits, quarantined, [&](const TreeEntry& entry) {
    check_entry(entry, limits);
    has_addresses = has_addresses || (entry.path == ".gitmodules" && entry.kind == TreeEntry::Kind::File);
    const bool is_submodule = entry.kind == TreeEntry::Kind::Submodule;  // it names what is in another repository
    if (is_submodule && submodule.empty()) submodule = entry.path;
    if (++size.entries > limits.tree_entries) {
      throw UserError(fmt::format("the commit has more than {} files and directories", limits.tree_entries),
                      "remove what need not be in the repo, " + raise("tree_entries"));
    }
    if (entry.kind != TreeEntry::Kind::Directory && !is_submodule) {
      std::copy(entry.object.begin(), entry.object.end(), blobs.emplace_back().name.begin());
    }
    return true;
  });
  if (!submodule.empty() && !has_addresses) throw without_address(submodule);
  merge_same(blobs);
  look_up(sizes, commit, blobs);
  size.bytes = total_bytes(blobs);
  if (size.bytes <= limits.tree_bytes) return size;

  const Blob& largest = *std::max_element(blobs.begin(), blobs.end(),
                                          [](const Blob& one, const Blob& other) { return one.bytes < other.bytes; });
  std::string path;
  list_tree(repository, commit, limits, quarantined, [&](const TreeEntry& entry) {
    if (!std::equal(largest.name.begin(), largest.name.end(), entry.object.begin(), entry.object.end())) return true;
    path = entry.path;
    return false;
  });
  throw UserError(fmt::format("the files of the commit take {}, and the limit is {}; the largest is {} ({})",
                              format_bytes(size.bytes), format_bytes(limits.tree_bytes), quoted(path, 200),
                              format_bytes(largest.bytes)),
                  "remove what need not be in the repo, " + raise("tree_bytes"));
}

}  // namespace pushrod
