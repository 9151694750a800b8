// One-off commands with an app's code and environment.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "deploy/jobs.hh"
#include "operate/audit.hh"
#include "operate/session.hh"

namespace pushrod {

// Runs the command with the caller's streams and returns its exit code. `action` names it in the audit, which keeps
// only the program of the command: arguments may be secrets. `waits` is called if it cannot begin yet (JobRequest).
int run_attached(Session& session, const AppName& app, const std::vector<std::string>& command,
                 const Attachment& attachment, const std::function<void()>& waits = {});
int run_shell(Session& session, const AppName& app, const Attachment& attachment,
              const std::function<void()>& waits = {});
// Starts the command, which goes on without the caller. Returns the job's name: "run.3".
std::string run_detached(Session& session, const AppName& app, const std::vector<std::string>& command,
                         const std::function<void()>& waits = {});
// Ends a running job by its name and returns the short one. Throws UserError when the app has no such job.
std::string end_job(Session& session, const AppName& app, const std::string& name);

// An audited job, whose outcome is its exit code.
int audited_job(Session& session, const AuditedChange& what, const std::function<int()>& job);

}  // namespace pushrod
