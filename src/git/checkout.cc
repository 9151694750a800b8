// Writing a commit's files, new or from the spare.
// Used by the deployment's checkout step and by the daemon's tidier.
#include "git/checkout.hh"

#include <fmt/format.h>

#include <chrono>
#include <system_error>

#include "base/error.hh"
#include "base/text.hh"
#include "git/git_command.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

// Removes what was needed only while the tree was written.
class Scratch {
 public:
  explicit Scratch(fs::path path) : path_(std::move(path)) { remove_tree(path_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    try {
      remove_tree(path_);
    } catch (const Error&) {
      // It lies in the checkout's directory and goes with that.
    }
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// A git that works on the tree with an index of its own. The index is thrown away or lies in the cache: no flushing.
Command tree_command(const Repository& repository, const fs::path& tree, const fs::path& index,
                     std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(),
                   {"--work-tree=" + tree.string(), "-c", "core.hooksPath=/dev/null", "-c", "core.fsync=none"});
  Command command = git_command(repository, std::move(arguments));
  command.environment["GIT_INDEX_FILE"] = index.string();
  command.deadline = std::chrono::minutes{10};
  return command;
}

// Also looks at every file that the index has already, and writes those anew that are not as it says.
Command write_tree_command(const Repository& repository, const CommitId& commit, const fs::path& tree,
                           const fs::path& index) {
  return tree_command(repository, tree, index, {"read-tree", "-u", "--reset", commit.str()});
}

// A spare is brought up to date and renamed without flushing, so after a power cut its files may be empty: one from
// before the last boot is none.
std::string mark_of(const CommitId& commit) {
  return commit.str() + " " + read_file("/proc/sys/kernel/random/boot_id").value_or("\n");
}

bool is_good_spare(const fs::path& spare) {
  constexpr std::size_t kObjectName = 40;
  const std::string mark = read_file(spare / "commit", 4096, false).value_or("");
  return mark.size() > kObjectName &&
         mark.substr(kObjectName) == mark_of(CommitId::parse(std::string(kObjectName, '0'))).substr(kObjectName) &&
         is_directory(spare / "tree") && is_plain_file(spare / "index");
}

// Makes the spare ours by renaming it: two takers never get the same one. Any obstacle means that there is none.
bool take(const fs::path& spare, const fs::path& taken) {
  std::error_code failure;
  fs::rename(spare, taken, failure);
  return !failure && is_directory(taken);
}

// False when the spare cannot become the commit.
bool write_from_spare(const Repository& repository, const CommitId& commit, const fs::path& tree,
                      const fs::path& spare) {
  if (!is_good_spare(spare)) return false;
  std::error_code failure;
  fs::rename(spare / "tree", tree, failure);
  return !failure && run(write_tree_command(repository, commit, tree, spare / "index")).ok();
}

Command with_low_priority(Command command) {
  std::vector<std::string> argv;
  if (find_program("nice", command.environment)) argv = {"nice", "-n", "10"};
  if (find_program("ionice", command.environment)) argv.insert(argv.end(), {"ionice", "-c", "3"});
  command.argv.insert(command.argv.begin(), argv.begin(), argv.end());
  return command;
}

}  // namespace

void write_checkout(const Repository& repository, const CommitId& commit, const fs::path& tree, const fs::path& spare) {
  if (fs::symlink_status(tree).type() != fs::file_type::not_found) {
    throw Error(fmt::format("{} already exists", quoted(tree.string(), 1024)));
  }
  const Scratch scratch(tree.string() + ".scratch");
  if (take(spare, scratch.path()) && write_from_spare(repository, commit, tree, scratch.path())) return;
  remove_tree(tree);
  remove_tree(scratch.path());
  make_directory(scratch.path());
  make_directory(tree);
  run_checked(write_tree_command(repository, commit, tree, scratch.path() / "index"));
}

void prepare_spare(const Repository& repository, const CommitId& commit, const fs::path& spare) {
  const std::string mark = mark_of(commit);
  if (read_file(spare / "commit", 4096, false) == mark) return;
  const Scratch draft(spare.string() + ".new");
  make_directory(draft.path() / "tree");
  run_checked(with_low_priority(write_tree_command(repository, commit, draft.path() / "tree", draft.path() / "index")));
  // Otherwise the deployment that uses it would wait until all of it is on the disk.
  flush_file_system(draft.path());
  write_file(draft.path() / "commit", mark, 0600, false);
  const Scratch old(spare.string() + ".old");
  take(spare, old.path());
  rename_path(draft.path(), spare);
}

}  // namespace pushrod
