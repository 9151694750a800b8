// The command that serves one push or fetch.
// The gate makes it and becomes it.
#include "git/git_command.hh"
#include "git/repository.hh"

namespace pushrod {

namespace {

// Version 2 is left out: with it upload-pack serves every object to a client that knows its name, also one that no
// branch has any more, and no setting changes that. Without it a client gets what branches and tags reach, and a client
// that asks for version 2 goes on with version 0 by itself.
bool is_safe_protocol(const std::string& git_protocol) {
  return git_protocol == "version=0" || git_protocol == "version=1";
}

}  // namespace

Command git_service_command(GitService service, const std::filesystem::path& repository, std::uint64_t memory,
                            const Environment& for_hooks, const std::string& git_protocol) {
  Command command;
  command.confinement = git_confinement(memory);
  // A fetching client that says nothing for five minutes is gone. For pushes receive-pack has no such option.
  command.argv =
      service == GitService::ReceivePack
          ? std::vector<std::string>{"git", "receive-pack", "--", repository.string()}
          : std::vector<std::string>{"git", "upload-pack", "--strict", "--timeout=300", "--", repository.string()};
  command.environment = git_environment();
  std::map<std::string, std::string> settings{{"pack.threads", few_threads()}};
  if (service == GitService::ReceivePack) {
    // A file that is larger than the memory of a push is refused at once. Over the threshold git would stream it, which
    // takes seconds for each gigabyte of zeros, and those are a megabyte to send.
    settings["core.bigFileThreshold"] = "4194304g";
    settings["core.deltaBaseCacheLimit"] = "16m";
  }
  configure(command.environment, settings);
  for (const auto& [name, value] : for_hooks) command.environment[name] = value;
  if (is_safe_protocol(git_protocol)) command.environment["GIT_PROTOCOL"] = git_protocol;
  return command;
}

}  // namespace pushrod
