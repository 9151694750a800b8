// What runs: the instances as they are wanted and as they are, jobs, and what they use.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "operate/json.hh"
#include "operate/session.hh"

namespace pushrod {

struct InstanceView {
  Instance instance;  // as the database wants it
  std::string state;  // "running", "crashing", "missing", "draining"
  pid_t pid = 0;      // 0: not up
  std::optional<Milliseconds> up_for{};
  std::optional<Milliseconds> retry_in{};  // of one that crashes
  unsigned restarts = 0;
  std::string last_exit{};  // empty: none
};
Json to_json(const InstanceView& view);

// A one-off command or a cron job. Its process is the one that looks after it.
struct JobView {
  Job job;
  std::string state;  // "running", "lost"
  pid_t pid = 0;      // 0: lost
  Milliseconds age{0};
  std::optional<std::string> command{};  // only for callers with the right to deploy: arguments may be secrets
};
Json to_json(const JobView& view);

struct RunningProcesses {
  std::vector<InstanceView> instances;
  std::vector<JobView> jobs;
};
// Of one app, or of all that the caller may see.
RunningProcesses processes(Session& session, const std::optional<AppName>& app);

struct Usage {
  InstanceStatus status;
  double processors = 0;     // 0.5: half of one
  std::uint64_t memory = 0;  // bytes
  double requests = 0;       // per second
};
Json to_json(const Usage& usage);

// Looks again and again; a figure per second is the difference between two looks.
class UsageMeter {
 public:
  UsageMeter(Session& session, std::optional<AppName> app);
  // Since the last look, or the construction. By name.
  std::vector<Usage> look();

 private:
  struct Look {
    Stopwatch taken;
    std::map<InstanceName, InstanceUsage> usage;
    std::map<InstanceName, std::uint64_t> requests;  // sent to them
  };
  Look take() const;

  Session& session_;
  std::optional<AppName> app_;
  Look before_;
};

}  // namespace pushrod
