// run and shell: one-off commands with an app's code and environment.
// With a terminal on both sides the command gets one of its own; otherwise its three streams are ours, byte
// for byte. It ends with us, unless it is detached.
#include <fmt/format.h>
#include <unistd.h>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/audited.hh"
#include "cli/gate.hh"
#include "cli/grammar.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
#include "deploy/jobs.hh"
#include "os/background.hh"

namespace pushrod {

namespace {

struct RunWords {
  std::string app;
  std::vector<std::string> command;
  std::string stop;
  bool detach = false;
};

// The program alone: whatever else is on the line may be a secret.
AuditedChange change_of(const App& app, const std::vector<std::string>& words) {
  return {app.name.str(), "run", words.front().substr(0, words.front().find_first_of(" \t\n"))};
}

int run_attached_job(Context& context, const App& app, const std::vector<std::string>& command) {
  Attachment attachment;
  const bool at_terminal = is_terminal(STDIN_FILENO) && is_terminal(STDOUT_FILENO);
  attachment.kind = at_terminal ? Attachment::Kind::Terminal : Attachment::Kind::Pipes;
  const auto platform = context.platform();
  return run_job(platform, {.app = app.id, .command = command, .author = context.caller().author()}, attachment);
}

int stop_run(Context& context, const App& app, const std::string& name) {
  const auto platform = context.platform();
  std::vector<std::string> known;
  for (const auto& job : context.store().running_jobs()) {
    if (job.app_id != app.id) continue;
    if (name == job.short_name() || name == job.instance().str()) {
      return audited_exit(context, {{app.name.str(), "run", "stop " + name}}, [&] {
        stop_jobs(platform, {job});
        print(fmt::format("{} has ended\n", job.short_name()));
        return kExitOk;
      });
    }
    known.push_back(job.short_name());
  }
  throw UserError(fmt::format("no job {} of {} runs", quoted(name), app.name.str()),
                  known.empty() ? "none of its jobs runs" : "these run: " + join(known, ", "));
}

int run(Context& context, const RunWords& words) {
  const auto app = context.require_app(words.app, Right::Deploy);
  if (!words.stop.empty()) {
    if (!words.command.empty() || words.detach) {
      throw UsageError("--stop ends a job, and starts none", "see: pushrod run --help");
    }
    return stop_run(context, app, words.stop);
  }
  if (words.command.empty()) {
    throw UsageError("run what? A command is missing", "for example: run APP -- ls -l /data; a shell: shell APP");
  }
  const auto command = command_of(words.command);
  return audited_exit(context, {change_of(app, words.command)}, [&] {
    if (!words.detach) return run_attached_job(context, app, command);
    context.engine().check_ready();
    const auto platform = context.platform();
    const auto job = start_job(platform, {.app = app.id, .command = command, .author = context.caller().author()});
    print(job.short_name() + "\n");
    return static_cast<int>(kExitOk);
  });
}

int shell(Context& context, const std::string& name) {
  const auto app = context.require_app(name, Right::Deploy);
  return audited_exit(context, {{app.name.str(), "shell", ""}}, [&] {
    return run_attached_job(
        context, app,
        {"/bin/sh", "-c", "if [ -x /bin/bash ]; then PS1='\\h:\\w\\$ ' exec /bin/bash; fi; exec /bin/sh"});
  });
}

}  // namespace

void add_run_verbs(Grammar& grammar) {
  const auto words = std::make_shared<RunWords>();
  grammar
      .verb("run", "run a command beside the app, with its code and environment",
            [words](Context& context) { return run(context, *words); })
      .app(words->app)
      .flag("-d,--detach", words->detach, "go on without this connection; its output goes to the app's logs")
      .option("--stop", words->stop, "end this job instead, such as run.3")
      .takes_rest("COMMAND", words->command, "a program and its arguments, or one word that is a command line");
  grammar
      .verb("shell", "a shell beside the app, with its code and environment",
            [words](Context& context) { return shell(context, words->app); })
      .app(words->app);
}

int hold_job(const std::filesystem::path& root, std::int64_t id) {
  const Layout layout(root);
  std::optional<FileLock> lock;
  const bool is_holder = go_to_background([&] {
    lock = FileLock::try_acquire(layout.job_lock(id));
    if (!lock) throw Error(fmt::format("somebody looks after job {} already", id));
    lock->announce(fmt::format("job {}", id));
  });
  if (!is_holder) return kExitOk;
  Context context(root, {});
  const auto platform = context.platform();
  const auto job = context.store().job(id);
  if (job) look_after_job(platform, id, timeout_of(platform, *job));
  return kExitOk;
}

}  // namespace pushrod
