// run and shell: one-off commands with an app's code and environment. Where both sides are a terminal, the command gets
// one of its own; otherwise it gets our three streams. It ends with this process, unless it is detached.
#include <fmt/format.h>
#include <unistd.h>

#include "base/error.hh"
#include "cli/grammar.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
#include "operate/jobs.hh"

namespace pushrod {

namespace {

struct RunWords {
  std::string app;
  std::vector<std::string> command;
  std::string stop;
  bool detach = false;
};

Attachment own_streams() {
  Attachment attachment;
  const bool at_terminal = is_terminal(STDIN_FILENO) && is_terminal(STDOUT_FILENO);
  attachment.kind = at_terminal ? Attachment::Kind::Terminal : Attachment::Kind::Pipes;
  return attachment;
}

void tell_waiting() {
  fmt::print(stderr, "Waiting: the app's data is being replaced or moved. This begins when that is done.\n");
}

int run(Context& context, const RunWords& words) {
  const auto app = AppName::parse(words.app);
  context.Session::require_app(app, Right::Deploy);  // what is wrong with the app comes first
  if (!words.stop.empty()) {
    if (!words.command.empty() || words.detach) {
      throw UsageError("--stop ends a job and cannot start one", "see: pushrod run --help");
    }
    print(end_job(context, app, words.stop) + " has ended\n");
    return kExitOk;
  }
  if (words.command.empty()) {
    throw UsageError("missing command", "usage: run APP -- COMMAND [ARGS…]; for a shell: shell APP");
  }
  if (!words.detach) return run_attached(context, app, words.command, own_streams(), tell_waiting);
  print(run_detached(context, app, words.command, tell_waiting) + "\n");
  return kExitOk;
}

}  // namespace

void add_run_verbs(Grammar& grammar) {
  const auto words = std::make_shared<RunWords>();
  grammar
      .verb("run", "run a command beside the app, with its code and environment",
            [words](Context& context) { return run(context, *words); })
      .app(words->app)
      .flag("-d,--detach", words->detach, "keep running without this connection; output goes to the app's logs")
      .option("--stop", words->stop, "end this job instead, such as run.3")
      .takes_rest("COMMAND", words->command, "a program and its arguments, or one word that is a command line");
  grammar
      .verb("shell", "a shell beside the app, with its code and environment",
            [words](Context& context) {
              return run_shell(context, AppName::parse(words->app), own_streams(), tell_waiting);
            })
      .app(words->app);
}

}  // namespace pushrod
