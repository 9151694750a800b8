// Jobs, from the row to the end.
#include "deploy/jobs.hh"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "base/error.hh"
#include "base/text.hh"
#include "deploy/attempt.hh"
#include "deploy/control.hh"
#include "deploy/held_jobs.hh"
#include "deploy/plans.hh"
#include "deploy/trash.hh"
#include "os/file_lock.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

constexpr Milliseconds kBeginDeadline{30'000};
constexpr Milliseconds kEndDeadline{8'000};  // a holder gives its job five seconds
constexpr Milliseconds kLogDeadline{5'000};
constexpr Milliseconds kPause{10};  // no event tells when another process's lock is free
constexpr Milliseconds kHeldPause{100};
constexpr unsigned kKept = 50;      // ended jobs of each name
constexpr int kTimedOutCode = 124;  // as timeout(1) has it

constexpr const char* kLost = "lost: the process that looked after it was killed";

InstancePlan plan_job(const Platform& platform, const Job& job) {
  const auto app = platform.store.app(job.app_id);
  const auto release = app ? platform.store.release(app->id, job.release) : std::nullopt;
  if (!release) throw Error(fmt::format("release {} of {} is gone", job.release, job.app.str()), "try again");
  const Process process{.type = ProcessType::parse(job.name), .command = {}, .health = {}};
  return plan_process(platform, *release, job.instance(), process, {});
}

FileLock await_turn(const Platform& platform, const JobRequest& request) {
  for (bool told = false;; told = true) {
    {
      auto begin = FileLock::acquire(platform.layout.job_begin_lock());
      if (!are_jobs_held(platform, request.app)) return begin;
    }
    if (!told && request.waits) request.waits();
    std::this_thread::sleep_for(kHeldPause);
  }
}

// The row comes first, then the lock. No process may look in between: a row without a holder counts as lost.
Job begin(const Platform& platform, const JobRequest& request, const std::function<void(const Job&)>& take) {
  const auto begin = await_turn(platform, request);
  auto job = platform.store.add_job(request.app, request.kind, request.name, request.command, request.author);
  try {
    take(job);
  } catch (const Error& error) {
    platform.store.end_job(job.id, {}, "not started: " + error.message());
    throw;
  }
  return job;
}

void forget_old_jobs(const Platform& platform, AppId app) {
  for (const auto& old : platform.store.prune_jobs(app, kKept)) {
    const auto log = platform.layout.instance_log(old.instance());
    if (is_directory(log)) discard(platform.layout, log);
  }
}

void finish(const Platform& platform, const Job& job, const CommandResult& result) {
  platform.engine.forget_job(job.instance());
  const bool exited = result.end == CommandResult::End::Exited;
  platform.store.end_job(job.id, exited ? std::optional(result.code) : std::nullopt, result.describe());
  remove_file(platform.layout.job_lock(job.id));
  forget_old_jobs(platform, job.app_id);
  wake_daemon(platform);  // another one may wait for its end
}

// Everything between a job that is begun and one that has ended. `run` gets its plan.
CommandResult carry_out(const Platform& platform, const Job& job,
                        const std::function<CommandResult(InstancePlan)>& run) {
  try {
    auto result = run(plan_job(platform, job));
    finish(platform, job, result);
    return result;
  } catch (const Error& error) {
    attempt("ending " + job.instance().str(), [&] { platform.engine.forget_job(job.instance()); });
    platform.store.end_job(job.id, {}, "failed: " + error.message());
    remove_file(platform.layout.job_lock(job.id));
    throw;
  }
}

// Names of terminals as terminfo has them.
bool is_terminal_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '.' || c == '_' || c == '+';
  });
}

int code_of(const CommandResult& result) {
  if (result.end == CommandResult::End::TimedOut) return kTimedOutCode;
  return result.end == CommandResult::End::Exited ? result.code : 128 + result.code;
}

bool is_held(const Platform& platform, const Job& job) {
  return lock_holder(platform.layout.job_lock(job.id)).has_value();
}

void end_holders(const Platform& platform, const std::vector<Job>& jobs) {
  for (const Job& job : jobs) signal_holder(platform.layout.job_lock(job.id), SIGTERM);
  const Deadline deadline(kEndDeadline);
  for (const Job& job : jobs) {
    while (is_held(platform, job) && !deadline.passed()) std::this_thread::sleep_for(kPause);
    // The sandbox dies with its holder.
    signal_holder(platform.layout.job_lock(job.id), SIGKILL);
    while (is_held(platform, job)) std::this_thread::sleep_for(kPause);
  }
}

// The caller keeps jobs from beginning.
void settle(const Platform& platform, const Job& job) {
  const auto lock = FileLock::try_acquire(platform.layout.job_lock(job.id));
  if (!lock) return;
  platform.engine.forget_job(job.instance());
  platform.store.end_job(job.id, {}, kLost);
  remove_file(platform.layout.job_lock(job.id));
  wake_daemon(platform);
}

void settle_each(const Platform& platform) {
  for (const Job& job : platform.store.running_jobs()) {
    attempt("settling " + job.instance().str(), [&] { settle(platform, job); });
  }
}

}  // namespace

int run_job(const Platform& platform, const JobRequest& request, const Attachment& attachment) {
  std::optional<FileLock> lock;
  const auto job = begin(platform, request, [&](const Job& begun) {
    lock = FileLock::acquire(platform.layout.job_lock(begun.id));
    lock->announce(begun.instance().str());
  });
  return code_of(carry_out(platform, job, [&](InstancePlan plan) {
    if (attachment.kind == Attachment::Kind::Terminal) {
      const char* terminal = getenv("TERM");
      plan.environment.emplace("TERM", terminal != nullptr && is_terminal_name(terminal) ? terminal : "dumb");
    }
    return run_attached(platform.engine.job(plan, request.command), attachment);
  }));
}

Job start_job(const Platform& platform, const JobRequest& request) {
  return begin(platform, request, [&](const Job& job) {
    Command holder;
    holder.argv = {own_program().native(),   "--root", platform.layout.root().native(), "job", "--id",
                   fmt::format("{}", job.id)};
    holder.die_with_parent = false;
    holder.deadline = kBeginDeadline;
    run_checked(holder);
  });
}

void look_after_job(const Platform& platform, JobId id, Milliseconds timeout) {
  const auto job = platform.store.job(id);
  if (!job || job->ended) return;
  carry_out(platform, *job, [&](const InstancePlan& plan) {
    Command log = platform.engine.job_log(job->instance());
    log.die_with_parent = false;  // it ends at the end of its input, and not before it has written all
    auto pipe = make_pipe();
    auto logger = ChildProcess::start(log, pipe.read_end.get(), -1, -1);
    pipe.read_end.reset();
    Attachment attachment;
    attachment.kind = Attachment::Kind::Direct;
    attachment.in = -1;
    attachment.out = attachment.err = pipe.write_end.get();
    attachment.deadline = timeout;
    auto result = run_attached(platform.engine.job(plan, platform.store.job_command(*job)), attachment);
    // No client waits for it and no history lists it, so the log says how it ended.
    if (job->kind == JobKind::Run) {
      // The logger may have been killed. The job's record has its end in any case.
      attempt("completing the log of " + job->instance().str(), [&] {
        write_all(pipe.write_end.get(), fmt::format("pushrod: {} ended: {}\n", job->short_name(), result.describe()),
                  "write the end of a job to its log");
      });
    }
    pipe.write_end.reset();
    logger.wait(kLogDeadline);
    return result;
  });
}

Milliseconds timeout_of(const Platform& platform, const Job& job) {
  const auto release = platform.store.release(job.app_id, job.release);
  if (job.kind == JobKind::Cron && release) {
    for (const Cron& cron : release->crons) {
      if (cron.name == job.name) return cron.timeout;
    }
  }
  return Milliseconds::max();
}

void stop_jobs(const Platform& platform, const std::vector<Job>& jobs) {
  if (jobs.empty()) return;
  // Once this lock was held, every job with a row has its holder.
  FileLock::acquire(platform.layout.job_begin_lock());
  end_holders(platform, jobs);
  const auto begin = FileLock::acquire(platform.layout.job_begin_lock());
  settle_each(platform);
}

FileLock end_all_jobs(const Platform& platform, AppId app) {
  const auto jobs = [&] {
    auto running = platform.store.running_jobs();
    std::erase_if(running, [&](const Job& job) { return job.app_id != app; });
    return running;
  };
  stop_jobs(platform, jobs());
  auto begin = FileLock::acquire(platform.layout.job_begin_lock());
  end_holders(platform, jobs());
  for (const Job& job : jobs()) settle(platform, job);
  return begin;
}

void settle_jobs(const Platform& platform) {
  if (platform.store.running_jobs().empty()) return;
  if (const auto begin = FileLock::try_acquire(platform.layout.job_begin_lock())) settle_each(platform);
}

std::vector<std::string> command_of(const Platform& platform, const std::vector<std::string>& words) {
  if (words.size() != 1 || words.front().find_first_of(" \t\n") == std::string::npos) return words;
  return platform.engine.shell_words(words.front());
}

}  // namespace pushrod
