// The gate.
// Floor 7. No shell, no path from the other side: a name is parsed, looked up and checked, or the connection ends.
#include "cli/gate.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "base/error.hh"
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
void note(const Layout& layout, const std::string& who, const std::string& asked, const std::string& verdict) {
  const auto file = layout.service_log("gate.log");
  make_directory(file.parent_path());
  struct stat status = {};
  if (stat(file.c_str(), &status) == 0 && status.st_size > kLongestLog)
    rename(file.c_str(), (file.string() + ".1").c_str());
  const auto fd = open_file(file, O_WRONLY | O_CREAT | O_APPEND, 0600);
  write_all(fd.get(),
            fmt::format("{} key={} from={} asked={} {}\n", format_time(now()), who,
                        quoted(split(variable("SSH_CONNECTION"), ' ').front()), quoted(asked, 300), verdict),
            "writing " + file.string());
}

int serve_git(Context& context, const GitRequest& request, const std::string& asked) {
  const auto& key = *context.caller().key;
  const auto name = RepoName::parse(request.repo);
  bool allowed = context.store().has_repo(name) && key.is_admin();
  if (!key.is_admin()) {
    for (const auto& app : context.store().apps_of(name)) allowed = allowed || key.may_use(app.name);
  }
  if (!allowed)
    throw UserError(fmt::format("there is no repo {}", quoted(request.repo)),
                    "`repo list` shows those that you may use");
  note(context.layout(), key.name.str(), asked, "accepted");
  const Environment for_hooks{{"PUSHROD_KEY_ID", std::to_string(key.id)}};
  replace_process(git_service_command(request.push ? GitService::ReceivePack : GitService::UploadPack,
                                      context.layout().repo(name), for_hooks, variable("GIT_PROTOCOL")));
}

}  // namespace

int gate(const std::filesystem::path& root, std::int64_t key_id) {
  const auto asked = variable("SSH_ORIGINAL_COMMAND");
  Context context(root, {});
  const auto key = context.store().key(key_id);
  const auto who = key ? key->name.str() : fmt::format("removed:{}", key_id);
  try {
    if (!key) throw UserError("this key has been removed", "ask an administrator of this machine");
    const auto request = parse_original_command(asked);
    Context theirs(root, {key});
    if (const auto* git = std::get_if<GitRequest>(&request)) return serve_git(theirs, *git, asked);
    note(context.layout(), who, asked, "accepted");
    return run_verbs(root, std::get<VerbRequest>(request).words, {key});
  } catch (const UserError& error) {
    note(context.layout(), who, asked, "refused: " + escaped(error.message(), 300));
    throw;
  }
}

}  // namespace pushrod
