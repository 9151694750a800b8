// Pushrod: one program with subcommands, and git's hooks under their own names.
// Floor 8: wiring, nothing else.
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string_view>

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

// Every user of the machine may read the arguments of every process: values of settings do not stay among them.
void hide_values(int argc, char** argv) {
  const auto begin = argv + 1, end = argv + argc;
  if (std::find(begin, end, std::string_view("config")) == end) return;
  for (auto word = begin; word != end; ++word) {
    if (char* equals = strchr(*word, '=')) std::fill(equals + 1, equals + strlen(equals), '*');
  }
}

}  // namespace

int main(int argc, char** argv) {
  static_cast<void>(signal(SIGPIPE, SIG_IGN));
  return pushrod::report_errors([&] {
    const std::string name = argc > 0 ? std::filesystem::path(argv[0]).filename().string() : "";
    if (name == "pre-receive") return pushrod::pre_receive_hook();
    if (name == "proc-receive") return pushrod::proc_receive_hook();
    if (name == "SIGTERM" || name == "SIGINT") return pushrod::stop_tree();
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    hide_values(argc, argv);
    return pushrod::run_command_line(arguments, serve_root);
  });
}
