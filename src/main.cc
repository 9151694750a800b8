// Pushrod: one program with subcommands, and git's hooks under their own names.
// Wiring, nothing else.
#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string_view>

#include "base/error.hh"
#include "cli/cli.hh"
#include "gate/gate.hh"
#include "os/command.hh"
#include "os/stop_signal.hh"
#include "serve/serve.hh"
#include "serve/watchdog.hh"
#include "tree/stop.hh"

namespace {

// In the list of processes the watchdog, a copy of the daemon, has a word of its own.
void show_as_watchdog(int argc, char** argv) {
  const auto word = std::find(argv, argv + argc, std::string_view("serve"));
  if (word != argv + argc) memcpy(*word, "watch", strlen(*word));
}

int serve_root(const std::filesystem::path& root, int argc, char** argv) {
  mallopt(M_ARENA_MAX, 1);  // its threads sleep most of the time: an arena each would only take memory
  pushrod::Context context(root, {});
  pushrod::Watchdog watchdog(context.layout(), context.settings(), pushrod::own_program().parent_path(),
                             [&] { show_as_watchdog(argc, argv); });
  const auto platform = context.platform();
  // A thread may be at work: ended like this, well or not, it leaves nothing that a crash would not. Destroying what
  // the threads use would leave a process behind that waits for them, and no daemon until it ends.
  _exit(pushrod::report_errors([&] {
    pushrod::serve(platform, watchdog, pushrod::stop_signal_fd());
    return pushrod::kExitOk;
  }));
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
    return pushrod::run_command_line(
        arguments, {.serve = [&](const std::filesystem::path& root) { return serve_root(root, argc, argv); },
                    .gate = pushrod::gate});
  });
}
