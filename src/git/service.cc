// The command that serves one push or fetch.
// Floor 3: the gate makes it and becomes it.
#include "git/git_command.hh"
#include "git/repository.hh"

namespace pushrod {

namespace {

bool is_known_protocol(const std::string& git_protocol) {
  return git_protocol == "version=0" || git_protocol == "version=1" || git_protocol == "version=2";
}

}  // namespace

Command git_service_command(GitService service, const std::filesystem::path& repository, const Environment& for_hooks,
                            const std::string& git_protocol) {
  Command command;
  // A fetching client that says nothing for five minutes is gone. For pushes receive-pack has no such option.
  command.argv =
      service == GitService::ReceivePack
          ? std::vector<std::string>{"git", "receive-pack", "--", repository.string()}
          : std::vector<std::string>{"git", "upload-pack", "--strict", "--timeout=300", "--", repository.string()};
  command.environment = git_environment();
  for (const auto& [name, value] : for_hooks) command.environment[name] = value;
  if (is_known_protocol(git_protocol)) command.environment["GIT_PROTOCOL"] = git_protocol;
  return command;
}

}  // namespace pushrod
