#include "operate/jobs.hh"

#include <fmt/format.h>

#include "base/error.hh"
#include "base/text.hh"

namespace pushrod {

namespace {

AuditedChange run_of(const App& app, const std::vector<std::string>& command) {
  return {app.name.str(), "run", command.front().substr(0, command.front().find_first_of(" \t\n"))};
}

}  // namespace

int audited_job(Session& session, const AuditedChange& what, const std::function<int()>& job) {
  int code = 0;
  audited(session, std::vector{what}, [&] {
    code = job();
    return code == 0 ? std::string(kDone) : fmt::format("failed: exit code {}", code);
  });
  return code;
}

int run_attached(Session& session, const AppName& name, const std::vector<std::string>& command,
                 const Attachment& attachment, const std::function<void()>& waits) {
  const auto app = session.require_app(name, Right::Deploy);
  return audited_job(session, run_of(app, command), [&] {
    return run_job(session.platform(),
                   {.app = app.id,
                    .command = command_of(session.platform(), command),
                    .author = session.caller().author(),
                    .waits = waits},
                   attachment);
  });
}

int run_shell(Session& session, const AppName& name, const Attachment& attachment, const std::function<void()>& waits) {
  const auto app = session.require_app(name, Right::Deploy);
  // A prompt that every shell understands: "shop:/app$ ".
  const std::vector<std::string> shell = {"env", fmt::format("PS1={}:$PWD$ ", name.str()),
                                          session.engine().shell_words("").front()};
  return audited_job(session, {name.str(), "shell", ""}, [&] {
    return run_job(session.platform(),
                   {.app = app.id, .command = shell, .author = session.caller().author(), .waits = waits}, attachment);
  });
}

std::string run_detached(Session& session, const AppName& name, const std::vector<std::string>& command,
                         const std::function<void()>& waits) {
  const auto app = session.require_app(name, Right::Deploy);
  std::string job;
  audited(session, run_of(app, command), [&] {
    session.engine().check_ready();
    job = start_job(session.platform(), {.app = app.id,
                                         .command = command_of(session.platform(), command),
                                         .author = session.caller().author(),
                                         .waits = waits})
              .short_name();
  });
  return job;
}

std::string end_job(Session& session, const AppName& app_name, const std::string& name) {
  const auto app = session.require_app(app_name, Right::Deploy);
  std::vector<std::string> known;
  for (const auto& job : session.store().running_jobs()) {
    if (job.app_id != app.id) continue;
    if (name == job.short_name() || name == job.instance().str()) {
      audited(session, {app_name.str(), "run", "stop " + name}, [&] { stop_jobs(session.platform(), {job}); });
      return job.short_name();
    }
    known.push_back(job.short_name());
  }
  throw UserError(fmt::format("{} has no running job {}", app_name.str(), quoted(name)),
                  known.empty() ? "it has no running jobs" : "its running jobs: " + join(known, ", "));
}

}  // namespace pushrod
