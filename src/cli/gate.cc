// The gate.
// Floor 7. No shell, no path from the other side: a name is parsed, looked up and checked, or the connection ends.
#include "cli/gate.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "base/error.hh"
#include "base/secret.hh"
#include "base/text.hh"
#include "cli/cli.hh"
#include "git/repository.hh"
#include "os/files.hh"
#include "ssh/original_command.hh"

namespace pushrod {

namespace {

constexpr off_t kLongestLog = 1 << 20;

std::string variable(const char* name) {
  const char* value = getenv(name);
  return value != nullptr ? value : "";
}

// One escaped line a connection; what was asked for may be anything.
void note(const Layout& layout, const Caller& caller, const std::string& who, const std::string& asked,
          const std::string& verdict) {
  const auto file = layout.service_log("gate.log");
  make_directory(file.parent_path());
  struct stat status = {};
  if (stat(file.c_str(), &status) == 0 && status.st_size > kLongestLog)
    rename(file.c_str(), (file.string() + ".1").c_str());
  const auto fd = open_file(file, O_WRONLY | O_CREAT | O_APPEND, 0600);
  write_all(fd.get(),
            fmt::format("{} key={} from={} asked={} {}\n", format_time(now()), who, quoted(caller.address),
                        quoted(asked, 300), verdict),
            "writing " + file.string());
}

// A value of a setting is nobody's business, even if the command was refused for a slip.
std::string loggable(const std::string& asked) {
  const auto equals = asked.find('=');
  if (asked.find("config") == std::string::npos || equals == std::string::npos) return asked;
  return asked.substr(0, equals + 1) + std::string(Redactor::kMark);
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

int serve_git(Context& context, const GitRequest& request, const std::string& asked) {
  if (isatty(STDIN_FILENO) != 0) throw UserError("git speaks no terminal's language", "leave out ssh's option -t");
  const auto& caller = context.caller();
  const auto name = RepoName::parse(request.repo);
  check_right(context, name, request.push ? Right::Deploy : Right::ReadCode);
  note(context.layout(), caller, caller.key->name.str(), asked, "accepted");
  const Environment for_hooks{{"PUSHROD_KEY_ID", std::to_string(caller.key->id)}, {"PUSHROD_ADDRESS", caller.address}};
  replace_process(git_service_command(request.push ? GitService::ReceivePack : GitService::UploadPack,
                                      context.layout().repo(name), for_hooks, variable("GIT_PROTOCOL")));
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
    Context theirs(root, caller);
    if (const auto* git = std::get_if<GitRequest>(&request)) return serve_git(theirs, *git, asked);
    note(context.layout(), caller, who, asked, "accepted");
    return run_verbs(root, std::get<VerbRequest>(request).words, caller);
  } catch (const UserError& error) {
    note(context.layout(), caller, who, asked, "refused: " + escaped(error.message(), 300));
    throw;
  }
}

}  // namespace pushrod
