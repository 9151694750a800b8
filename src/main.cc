// Pushrod: one program with subcommands, and git's hooks under their own names.
// Floor 8: wiring, nothing else.
#include <signal.h>
#include <unistd.h>

#include <filesystem>

#include "base/error.hh"
#include "cli/cli.hh"
#include "cli/gate.hh"
#include "os/stop_signal.hh"
#include "serve/serve.hh"

namespace {

int serve_root(const std::filesystem::path& root) {
  pushrod::Context context(root, {});
  const auto platform = context.platform();
  pushrod::serve(platform, pushrod::stop_signal_fd());
  _exit(pushrod::kExitOk);  // a thread may be at work: ended like this it leaves nothing that a crash would not
}

}  // namespace

int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);
  return pushrod::report_errors([&] {
    const std::string name = argc > 0 ? std::filesystem::path(argv[0]).filename().string() : "";
    if (name == "pre-receive") return pushrod::pre_receive_hook();
    if (name == "proc-receive") return pushrod::proc_receive_hook();
    if (name == "SIGTERM" || name == "SIGINT") return pushrod::stop_tree();
    return pushrod::run_command_line(std::vector<std::string>(argv + 1, argv + argc), serve_root);
  });
}
