// SSH_ORIGINAL_COMMAND taken apart without a shell: words first, then which of the two forms they are.
// The gate's first step with what the network says.
#include "ssh/original_command.hh"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "base/error.hh"
#include "base/text.hh"

namespace pushrod {

namespace {

constexpr std::size_t kLongestCommand = std::size_t{64} << 10;
constexpr std::size_t kMostWords = 256;
constexpr std::string_view kPossible =
    "possible are git push, git fetch and git clone, and Pushrod's own commands, such as: app list";

void check_text(const std::string& text) {
  if (text.size() > kLongestCommand) {
    throw UserError(fmt::format("the command is {} long; at most {} are read", format_bytes(text.size()),
                                format_bytes(kLongestCommand)));
  }
  const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  if (std::any_of(text.begin(), text.end(), is_control)) {
    throw UserError(fmt::format("the command contains a control character: {}", quoted(text)));
  }
  if (!is_valid_utf8(text)) throw UserError(fmt::format("the command is not valid UTF-8: {}", quoted(text)));
  if (trim(text).empty()) {
    throw UserError("there is no login shell here: no command was given", std::string(kPossible));
  }
}

// Takes words off the front of a text.
class WordReader {
 public:
  explicit WordReader(std::string_view text) : whole_(text), rest_(text) {}

  std::vector<std::string> read_all() {
    std::vector<std::string> words;
    while (skip_spaces()) {
      if (words.size() == kMostWords) {
        throw UserError(fmt::format("the command has more than {} words: {}", kMostWords, quoted(whole_)));
      }
      words.push_back(read_word());
    }
    return words;
  }

 private:
  // False at the end.
  bool skip_spaces() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(' '), rest_.size()));
    return !rest_.empty();
  }

  std::string read_word() {
    std::string word;
    while (!rest_.empty() && rest_.front() != ' ') {
      const char character = take();
      if (character == '\'') {
        read_single_quoted(word);
      } else if (character == '"') {
        read_double_quoted(word);
      } else if (character == '\\') {
        if (rest_.empty()) refuse("ends in a backslash");
        word += take();
      } else {
        word += character;
      }
    }
    return word;
  }

  void read_single_quoted(std::string& word) {
    const std::size_t end = rest_.find('\'');
    if (end == std::string_view::npos) refuse("has a quote that is not closed");
    word += rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
  }

  void read_double_quoted(std::string& word) {
    while (true) {
      if (rest_.empty()) refuse("has a quote that is not closed");
      char character = take();
      if (character == '"') return;
      if (character == '\\') {
        if (rest_.empty() || (rest_.front() != '"' && rest_.front() != '\\')) {
          refuse("has a backslash within double quotes before something other than \" or \\");
        }
        character = take();
      }
      word += character;
    }
  }

  char take() {
    const char character = rest_.front();
    rest_.remove_prefix(1);
    return character;
  }

  [[noreturn]] void refuse(std::string_view problem) const {
    throw UserError(fmt::format("the command {}: {}", problem, quoted(whole_)));
  }

  std::string_view whole_;
  std::string_view rest_;
};

GitRequest parse_git_request(bool push, const std::vector<std::string>& arguments, const std::string& text) {
  if (arguments.size() != 1 || arguments.front().starts_with('-')) {
    throw UserError(fmt::format("git's service takes the name of a repo and nothing else: {}", quoted(text)));
  }
  std::string_view repo = arguments.front();
  if (repo.starts_with('/')) repo.remove_prefix(1);
  if (repo.ends_with(".git")) repo.remove_suffix(4);
  if (repo.empty()) {
    throw UserError(fmt::format("the address names no repo: {}", quoted(arguments.front())),
                    "it ends in the repo's name: ssh://USER@HOST:PORT/REPO");
  }
  return {push, std::string(repo)};
}

// What clients run when they expect a shell account on the other side.
void refuse_known_programs(const std::string& program, const std::string& text) {
  const auto is_any_of = [&](std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), program) != names.end();
  };
  const auto refuse = [&](std::string_view problem) {
    throw UserError(fmt::format("{}: {}", problem, quoted(text)), std::string(kPossible));
  };
  if (is_any_of({"sh", "bash", "dash", "zsh", "fish", "ksh", "csh", "tcsh", "env", "exec", "sudo", "su"})) {
    refuse("there is no shell here");
  }
  if (is_any_of({"scp", "sftp", "sftp-server", "internal-sftp", "rsync"})) refuse("files are not copied over SSH here");
  if (program == "git" || program.starts_with("git-")) refuse("git's only services here are push and fetch");
  if (program.empty()) refuse("the command's first word is empty");
  if (program.starts_with('-')) refuse("a command does not begin with \"-\"");
  if (program.find_first_of("/=") != std::string::npos) refuse("no program can be run here");
}

}  // namespace

std::variant<GitRequest, VerbRequest> parse_original_command(const std::string& text) {
  check_text(text);
  std::vector<std::string> words = WordReader(text).read_all();

  // "git receive-pack" is what a client says that was told to with --receive-pack.
  std::string service = words.front();
  std::size_t used = 1;
  if (service == "git" && words.size() > 1) {
    service += "-" + words[1];
    used = 2;
  }
  if (service == "git-receive-pack" || service == "git-upload-pack") {
    const std::vector<std::string> arguments(words.begin() + static_cast<std::ptrdiff_t>(used), words.end());
    return parse_git_request(service == "git-receive-pack", arguments, text);
  }
  refuse_known_programs(words.front(), text);
  return VerbRequest{std::move(words)};
}

}  // namespace pushrod
