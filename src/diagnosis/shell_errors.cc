// Exit codes 126 and 127, which shells give when they cannot run a command, and what they print then: which file, and
// what is wrong with it.
#include <fmt/format.h>
#include <re2/re2.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "base/text.hh"
#include "diagnosis/facts.hh"

namespace pushrod {

namespace {

namespace fs = std::filesystem;

constexpr const char* kLineEnds =
    "convert it to Unix line ends (sed -i 's/\\r$//' FILE), and commit \"* text=auto eol=lf\" in .gitattributes";

std::string line_end_hint(const std::string& file) {
  std::string how = kLineEnds;
  how.replace(how.find("FILE"), 4, shell_quoted(file.empty() ? "FILE" : file));
  return fmt::format("{} has Windows line ends (CR LF): {}", file.empty() ? "a script" : escaped(file, 200), how);
}

// The file in the app's tree that a command names; absent if there is none. Symlinks are not followed.
std::optional<fs::path> file_in_code(const Facts& facts, const std::string& command) {
  const auto inside = path_in_app(facts, command);
  if (!inside || facts.failed.code.empty()) return std::nullopt;
  fs::path path = facts.failed.code;
  struct stat status = {};
  for (const auto& part : fs::path(*inside)) {
    path /= part;
    if (lstat(path.c_str(), &status) != 0 || S_ISLNK(status.st_mode)) return std::nullopt;
  }
  return S_ISREG(status.st_mode) ? std::optional(path) : std::nullopt;
}

std::string beginning_of(const fs::path& file) {
  constexpr std::size_t kEnough = 256;
  std::ifstream stream(file, std::ios::binary);
  std::string text(kEnough, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  return text.substr(0, text.find('\n'));
}

// The last group that one of the patterns captures, in the lines from the end.
std::string last_capture(const std::vector<std::string>& lines, std::initializer_list<const char*> patterns) {
  std::vector<std::unique_ptr<re2::RE2>> compiled;
  for (const auto* pattern : patterns) compiled.push_back(std::make_unique<re2::RE2>(pattern));
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
    for (const auto& pattern : compiled) {
      std::string captured;
      if (re2::RE2::PartialMatch(*line, *pattern, &captured)) return captured;
    }
  }
  return {};
}

bool ended_with(const Facts& facts, int code) {
  if (facts.failed.exit_code == code) return true;
  // make and npm report the code of what they ran, and have one of their own.
  const auto text = fmt::format("{}", code);
  const auto& lines = facts.lines;
  const auto begin = lines.end() - static_cast<std::ptrdiff_t>(std::min<std::size_t>(lines.size(), 20));
  return facts.failed.exit_code.value_or(0) != 0 && std::any_of(begin, lines.end(), [&](const std::string& line) {
           return line.ends_with(" Error " + text) || line.ends_with("errno " + text) ||
                  line.ends_with(" code " + text);
         });
}

std::string explain_126(const Facts& facts) {
  const auto& lines = facts.lines;
  // A message of dash: "sh: 1: ./x: Permission denied"; of bash: "bash: line 1: ./x: Permission denied".
  const auto format = last_capture(lines, {R"(([^\s:]+): (?:cannot execute binary file: )?Exec format error)",
                                           R"(([^\s:]+): cannot execute binary file)"});
  if (!format.empty()) {
    return fmt::format(
        "{} is not a program that this machine can run: a script must begin with a line such as #!/bin/sh, and a "
        "binary must be built for this machine's processor",
        escaped(format, 200));
  }
  if (const auto directory = last_capture(lines, {R"(([^\s:]+): Is a directory)"}); !directory.empty()) {
    return fmt::format("{} is a directory, not a program", escaped(directory, 200));
  }
  const auto name = last_capture(lines, {R"(([^\s:‘'"]+)[’'"]?: [Pp]ermission denied)", R"(spawn (\S+) EACCES)"});
  if (name.empty()) return "exit code 126 means that a file could not be executed; the last lines show which";
  const auto file = file_in_code(facts, name);
  struct stat status = {};
  if (file && stat(file->c_str(), &status) == 0 && (status.st_mode & S_IXUSR) != 0) {
    struct statvfs system = {};
    if (statvfs(file->c_str(), &system) == 0 && (system.f_flag & ST_NOEXEC) != 0) {
      return "the file system of Pushrod's root directory is mounted with noexec, so nothing in it can be "
             "executed: the administrator must mount it without noexec";
    }
    return {};
  }
  if (const auto inside = path_in_app(facts, name)) {
    return fmt::format("{0} is not executable: git update-index --chmod=+x {1}, then commit and push",
                       escaped(name, 200), shell_quoted(*inside));
  }
  return fmt::format("{} is not executable", escaped(name, 200));
}

// A file that is there and whose first line names an interpreter that is not.
std::string explain_interpreter(const Facts& facts, const fs::path& file, const std::string& name) {
  const auto first = beginning_of(file);
  if (first.ends_with('\r')) return line_end_hint(path_in_app(facts, name).value_or(name));
  if (!first.starts_with("#!")) return {};
  const auto words = split(std::string(trim(first.substr(2))), ' ');
  if (access(words.front().c_str(), X_OK) == 0) return {};
  return fmt::format("{} begins with #!{}, and this machine does not have that program", escaped(name, 200),
                     escaped(words.front(), 100));
}

std::string explain_127(const Facts& facts) {
  for (const auto& line : facts.failed.output) {
    if (line.find("\r: not found") == line.npos && line.find("\\r") == line.npos &&
        line.find("\r: No such file") == line.npos && line.find("^M: bad interpreter") == line.npos) {
      continue;
    }
    const auto script = last_capture(
        {plain_text(line)}, {R"(^(?:/bin/)?(?:ba|da)?sh: (?:\d+: |line \d+: )?(\./[^\s:]+):)", R"(^(\./[^\s:]+): )"});
    return line_end_hint(path_in_app(facts, script).value_or(""));
  }
  const auto name = last_capture(
      facts.lines,
      {R"(^(?:[^\s:]+: )?(?:line )?\d+: (?:exec: )?([^\s:]+): not found$)", R"(([^\s:]+): command not found)",
       R"(env: [‘'"]?([^’'"\s:]+)[’'"]?: No such file or directory)",
       R"(^(?:[^\s:]+: )?line \d+: (?:exec: )?([^\s:]+): (?:cannot execute: required file not found|not found))",
       R"(^(?:/bin/)?(?:ba|da)?sh: (?:(?:line )?\d+: )?([^\s:]+): (?:No such file or directory|not found|cannot execute))"});
  if (name.empty()) return "exit code 127 means that a program was not found; the last lines show which";
  if (const auto file = file_in_code(facts, name)) return explain_interpreter(facts, *file, name);
  if (name.find('/') != name.npos) {
    return fmt::format("{} does not exist: is it committed, or made by the build?", escaped(name, 200));
  }
  return explain_missing_program(facts, name);
}

}  // namespace

std::string explain_shell_error(const Facts& facts) {
  if (ended_with(facts, 126)) return explain_126(facts);
  if (ended_with(facts, 127)) return explain_127(facts);
  return {};
}

}  // namespace pushrod
