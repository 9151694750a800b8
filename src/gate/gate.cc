// The gate.
// No shell, no path from the other side: a name is parsed, looked up and checked, or the connection ends.
#include "gate/gate.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <string_view>

#include "base/error.hh"
#include "base/redactor.hh"
#include "base/text.hh"
#include "cli/cli.hh"
#include "gate/arrival.hh"
#include "git/repository.hh"
#include "os/file_lock.hh"
#include "os/files.hh"
#include "ssh/original_command.hh"

namespace pushrod {

namespace {

constexpr off_t kLongestLog = 1 << 20;

std::string variable(const char* name) {
  const char* value = getenv(name);
  return value != nullptr ? value : "";
}

// Looks again under the lock, so that it renames the file that had grown too long, and not the new one.
void rotate(const Layout& layout, const fs::path& file) {
  const auto is_too_long = [&] {
    struct stat status = {};
    return stat(file.c_str(), &status) == 0 && status.st_size > kLongestLog;
  };
  if (!is_too_long()) return;
  const auto lock = FileLock::acquire(layout.gate_log_lock());
  if (is_too_long()) rename_path(file, file.string() + ".1");
}

// One escaped line a connection; what was asked for may be anything. Where it cannot be written, on a full disk, the
// connection is served nonetheless: it may be the one that makes room.
void note(const Layout& layout, const Caller& caller, const std::string& who, const std::string& asked,
          const std::string& verdict) {
  const auto line = fmt::format("{} key={} from={} asked={} {}\n", format_time(now()), who, quoted(caller.address),
                                quoted(asked, 300), verdict);
  const auto file = layout.service_log("gate.log");
  try {
    make_directory(file.parent_path());
    rotate(layout, file);
    const auto fd = open_file(file, O_WRONLY | O_CREAT | O_APPEND, 0600);
    write_all(fd.get(), line, "writing " + file.string());
  } catch (const Error& error) {
    fmt::print(stderr, "Note: this connection is not in the gate's log: {}\n", escaped(error.message()));
  }
}

// Where the first so many words of the text end.
std::size_t end_of_words(std::string_view text, unsigned count) {
  constexpr std::string_view kBlank = " \t\r\n";
  std::size_t end = 0;
  for (; count > 0 && end < text.size(); --count) {
    const auto begin = std::min(text.find_first_not_of(kBlank, end), text.size());
    end = std::min(text.find_first_of(kBlank, begin), text.size());
  }
  return end;
}

// A command that takes secrets, if the first word is one or is misspelt or quoted so that it may be meant; else empty.
std::string secretive_verb(const std::string& asked) {
  auto word = asked.substr(0, end_of_words(asked, 1));
  std::erase_if(word,
                [](char character) { return std::string_view("'\"\\ \t\r\n").find(character) != std::string::npos; });
  const auto meant = nearest(word, {"config", "run", "cron"});
  return meant && *meant != "cron" ? *meant : "";
}

// The part of a command that is logged. Values of settings and arguments of programs are left out, even if the
// command was refused for a slip: the first words remain, and of those what stands before a "=".
std::string loggable(const std::string& asked) {
  const std::string mark(Redactor::kMark);
  const auto verb = secretive_verb(asked);
  const auto words = end_of_words(asked, verb == "config" ? 3 : verb == "run" ? 2 : UINT_MAX);
  const auto equals = asked.find('=');
  if (equals < words) return asked.substr(0, equals + 1) + mark;
  return trim(asked.substr(words)).empty() ? asked : asked.substr(0, words) + " " + mark;
}

// The repo is there for whom one of its apps is; what it may do with one of them, it may do with the repo. Which
// branches it may push is for the verdict.
void check_right(Context& context, const RepoName& repo, Right right) {
  const auto& key = *context.caller().key;
  std::optional<AppName> seen;
  for (const auto& app : context.store().apps_of(repo)) {
    if (context.may(app.name, right)) return;
    if (context.may(app.name, Right::See)) seen = app.name;
  }
  if (seen) throw UserError(refusal_of(key, *seen), remedy_for(key, right));
  throw UserError(fmt::format("there is no repo {}", quoted(repo.str())), "`repo list` shows those that you may use");
}

// With a server.toml that cannot be read, code can be fetched all the same, and pre-receive tells a pusher what is
// wrong.
Settings settings_for_git(Context& context) {
  try {
    return context.settings();
  } catch (const UserError&) {
    return {};
  }
}

int serve_git(Context& context, const GitRequest& request, const std::string& asked) {
  if (isatty(STDIN_FILENO) != 0) throw UserError("git cannot use a terminal", "leave out ssh's option -t");
  const auto& caller = context.caller();
  const auto name = RepoName::parse(request.repo);
  check_right(context, name, request.push ? Right::Deploy : Right::ReadCode);
  Environment for_hooks{{"PUSHROD_KEY_ID", std::to_string(caller.key->id)}, {"PUSHROD_ADDRESS", caller.address}};
  std::vector<int> inherit;
  const auto settings = settings_for_git(context);
  if (request.push) inherit = begin_arrival(context.layout(), settings, *caller.key, for_hooks);
  note(context.layout(), caller, caller.key->name.str(), asked, "accepted");
  Command command =
      git_service_command(request.push ? GitService::ReceivePack : GitService::UploadPack, context.layout().repo(name),
                          settings.push_memory, for_hooks, variable("GIT_PROTOCOL"));
  command.inherit = std::move(inherit);
  replace_process(command);
}

}  // namespace

int gate(const std::filesystem::path& root, std::int64_t key_id) {
  const auto asked = loggable(variable("SSH_ORIGINAL_COMMAND"));
  Context context(root, {});
  const auto key = context.store().key(key_id);
  const auto who = key ? key->name.str() : fmt::format("removed:{}", key_id);
  // "<address> <port> <our address> <our port>", from sshd.
  const Caller caller{key, split(variable("SSH_CONNECTION"), ' ').front()};
  try {
    if (!key) throw UserError("this key has been removed", "ask an administrator of this machine");
    const auto request = parse_original_command(variable("SSH_ORIGINAL_COMMAND"));
    context.set_caller(caller);
    if (const auto* git = std::get_if<GitRequest>(&request)) return serve_git(context, *git, asked);
    note(context.layout(), caller, who, asked, "accepted");
    return run_verbs(root, std::get<VerbRequest>(request).words, caller);
  } catch (const UserError& error) {
    // The reason may quote what is not written down.
    const bool is_whole = asked == variable("SSH_ORIGINAL_COMMAND");
    note(context.layout(), caller, who, asked, is_whole ? "refused: " + escaped(error.message(), 300) : "refused");
    throw;
  }
}

}  // namespace pushrod
