// What a push would bring.
#include "git/pushed.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <set>

#include "base/error.hh"
#include "base/text.hh"
#include "git/git_command.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

constexpr std::uint64_t kLargestFile = 1u << 20;
constexpr std::uint64_t kLargestInTree = 16u << 20;  // lock files are large
constexpr std::uint64_t kMostBytes = 32u << 20;

struct Entry {
  std::string mode, type, object, name;
  std::uint64_t size = 0;  // of a file
};

// "<mode> <type> <object> <size>\t<name>"; the size is filled up with spaces, and "-" for a directory.
Entry parse_entry(const std::string& line) {
  const auto tab = line.find('\t');
  std::vector<std::string> words;
  for (auto& word : split(std::string_view(line).substr(0, tab), ' ')) {
    if (!word.empty()) words.push_back(std::move(word));
  }
  if (tab == std::string::npos || words.size() != 4) throw Error("git listed a tree as " + quoted(line));
  return {words[0], words[1], words[2], line.substr(tab + 1), parse_unsigned(words[3]).value_or(0)};
}

std::vector<Entry> list_directory_of(const Repository& repository, const CommitId& commit, const std::string& path) {
  Command command = git_command(repository, {"ls-tree", "-z", "-l", commit.str() + ":" + path}, true);
  command.output_cap = std::numeric_limits<std::size_t>::max();
  const auto result = run(command);
  if (!result.ok()) {
    throw UserError(fmt::format("the commit has no directory {}", quoted(path)),
                    "push a commit that has it, or give the app another --path");
  }
  std::vector<Entry> entries;
  for (const auto& line : split(result.out, '\0')) {
    if (!line.empty()) entries.push_back(parse_entry(line));
  }
  return entries;
}

// Contents of these objects, in their order: for each "<object> blob <size>\n<content>\n".
std::string read_blobs(const Repository& repository, const std::vector<Entry>& files) {
  Command command = git_command(repository, {"cat-file", "--batch", "--buffer"}, true);
  for (const auto& file : files) command.input += file.object + "\n";
  command.output_cap = std::numeric_limits<std::size_t>::max();
  return files.empty() ? "" : run_checked(command);
}

mode_t mode_of(const Entry& file) { return file.mode == "100755" ? 0755 : 0644; }

// A file of that size without content: a reader with a limit still sees that it is too large.
void write_hollow(const fs::path& path, const Entry& file) {
  const auto fd = open_file(path, O_WRONLY | O_CREAT | O_EXCL, mode_of(file));
  if (ftruncate(fd.get(), static_cast<off_t>(std::min(file.size, std::uint64_t{1} << 40))) != 0) {
    throw_errno("writing " + path.string());
  }
}

void write_files(const Repository& repository, const std::vector<Entry>& files, const fs::path& into) {
  const auto contents = read_blobs(repository, files);
  std::string_view rest = contents;
  for (const auto& file : files) {
    const auto header = rest.find('\n');
    if (header == std::string_view::npos || rest.size() < header + 1 + file.size + 1) {
      throw Error(fmt::format("git could not read {}", quoted(file.name)));
    }
    write_file(into / file.name, std::string(rest.substr(header + 1, file.size)), mode_of(file), false);
    rest.remove_prefix(header + 1 + file.size + 1);
  }
}

// While receive-pack serves a shallow clone whose first commits are new here, it keeps their names in such a file. It
// tells the hooks nothing of them, and reports its own refusal only when they have ended.
std::set<std::string> shallow_roots_of_pushes(const fs::path& repository) {
  std::set<std::string> roots;
  for (const auto& name : list_directory(repository)) {
    if (!name.starts_with("shallow_")) continue;
    for (const auto& line : lines_of(read_file(repository / name, kLargestFile).value_or(""))) roots.insert(line);
  }
  return roots;
}

}  // namespace

std::optional<fs::path> quarantine_directory() {
  const char* directory = getenv("GIT_QUARANTINE_PATH");
  return directory != nullptr ? std::optional<fs::path>(directory) : std::nullopt;
}

PushedCommits pushed_commits(const Repository& repository, const std::optional<CommitId>& before,
                             const CommitId& after) {
  const auto ask = [&](std::vector<std::string> arguments) {
    return std::string(trim(run_checked(git_command(repository, std::move(arguments), true))));
  };
  PushedCommits commits;
  commits.subject = ask({"log", "-1", "--no-show-signature", "--format=%s", after.str()});
  if (!before) {
    commits.added = parse_unsigned(ask({"rev-list", "--count", after.str()})).value_or(0);
    return commits;
  }
  const auto counts = split(ask({"rev-list", "--left-right", "--count", before->str() + "..." + after.str()}), '\t');
  commits.dropped = parse_unsigned(counts.front()).value_or(0);
  commits.added = parse_unsigned(counts.back()).value_or(0);
  return commits;
}

bool lacks_history(const Repository& repository, const CommitId& after) {
  const auto roots = shallow_roots_of_pushes(repository.directory());
  if (roots.empty()) return false;
  const auto result = run(git_command(repository, {"rev-list", after.str(), "--not", "--all"}, true));
  if (!result.ok()) return true;  // it meets a commit that is not there
  const auto added = lines_of(result.out);
  return std::any_of(added.begin(), added.end(), [&](const auto& commit) { return roots.count(commit) != 0; });
}

void write_directory(const Repository& repository, const CommitId& commit, const std::string& path,
                     const fs::path& into) {
  make_directory(into);
  std::vector<Entry> files;
  std::uint64_t bytes = 0;
  for (auto& entry : list_directory_of(repository, commit, path)) {
    if (entry.type == "tree") {
      make_directory(into / entry.name);
    } else if (entry.mode == "120000") {
      replace_symlink(into / entry.name, "/nonexistent");
    } else if (entry.size > kLargestInTree || (bytes += entry.size) > kMostBytes) {
      write_hollow(into / entry.name, entry);
    } else {
      files.push_back(std::move(entry));
    }
  }
  write_files(repository, files, into);
}

}  // namespace pushrod
