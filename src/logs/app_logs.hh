// The logs of an app: what its instances and the router wrote, merged by time; or the log of one deployment. Any door
// reads them and gives functions that take the lines.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/logs.hh"
#include "logs/filter.hh"
#include "operate/json.hh"
#include "operate/session.hh"

namespace pushrod {

Json to_json(const LogEntry& entry);

struct LogQuery {
  std::optional<unsigned> lines;  // the newest so many; absent: 100, or with `since` all
  std::string process;            // "web", "web.2", "router"; empty: all
  std::string since, grep;        // as logs/filter.hh reads them; empty: everything
};

// Where lines go.
struct LogReceiver {
  std::function<void(const LogEntry&)> entry;
  std::function<void(const std::string&)> note;  // "older lines are left out"
};

// For one thread.
class AppLogs {
 public:
  // Needs the right to see the app. Throws UserError when it has no such process.
  AppLogs(Session& session, const AppName& app, const LogQuery& query);
  // What was written so far.
  void read(const LogReceiver& receiver);
  // What is written from then on, until a stop signal (os/stop_signal.hh) or the end of the app. Sleeps meanwhile
  // (inotify). Keeps a file of each instance open.
  void follow(const LogReceiver& receiver);

 private:
  void check_process() const;
  std::vector<LogChunk> read_on();

  Session& session_;
  App app_;
  LogQuery query_;
  LogFilter filter_;
  std::unique_ptr<LogStream> stream_;
};

struct DeploymentLogQuery {
  ReleaseNumber deployment = 0;
  std::optional<unsigned> lines;  // the newest so many; absent: all
  std::string grep;
  bool follow = false;  // until the deployment or the caller ends
};
// Throws UserError when the app has no such deployment.
void read_deployment_log(Session& session, const AppName& app, const DeploymentLogQuery& query,
                         const std::function<void(const std::string&)>& line,
                         const std::function<void(const std::string&)>& note);

}  // namespace pushrod
