// Jobs: one-off commands and cron jobs, beside the instances and not of them.
// A job runs in a sandbox of the live release as an instance does; a deployment lets it finish. A process looks after
// it and holds its lock: for an attached job the process of its connection, for a detached one a process of its own
// (`pushrod job`), which needs neither a connection nor the daemon. The job ends with its holder. The reconciler
// settles what a killed holder leaves.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "deploy/platform.hh"
#include "os/attached.hh"
#include "os/file_lock.hh"

namespace pushrod {

struct JobRequest {
  AppId app = 0;
  JobKind kind = JobKind::Run;
  std::string name{kRunName};
  std::vector<std::string> command;
  std::string author;
  std::function<void()> waits{};  // called if it cannot begin yet (held_jobs.hh)
};

// Runs it to its end with the attachment's descriptors, and returns the exit code as a shell tells it: 128 + the number
// of the signal that ended it, 124 when the attachment's deadline did. A terminal's name is passed on in TERM. Throws
// UserError when the app is not deployed.
int run_job(const Platform& platform, const JobRequest& request, const Attachment& attachment);

// Begins it in the background; returns when its process looks after it. Its output goes to the app's logs.
Job start_job(const Platform& platform, const JobRequest& request);

// What that process does, once it holds the lock.
void look_after_job(const Platform& platform, JobId id, Milliseconds timeout);

// What the release says of a cron job's time limit; none for one-off commands.
Milliseconds timeout_of(const Platform& platform, const Job& job);

// Ends them, with all that they started: SIGTERM, and SIGKILL five seconds later. Returns when nothing is left.
void stop_jobs(const Platform& platform, const std::vector<Job>& jobs);

// All of an app's, for good: none begins, of any app, until the lock is given back.
FileLock end_all_jobs(const Platform& platform, AppId app);

// Jobs whose holder is gone have ended. While one begins it does nothing: the daemon looks again, and must not wait.
void settle_jobs(const Platform& platform);

// A single word with white space is a command line for the shell; anything else is executed as it is.
std::vector<std::string> command_of(const Platform& platform, const std::vector<std::string>& words);

}  // namespace pushrod
