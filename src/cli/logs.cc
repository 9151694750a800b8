// logs: what the instances of an app wrote, merged by time; or the log of one deployment.
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/grammar.hh"
#include "cli/log_output.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
#include "logs/app_logs.hh"
#include "os/stop_signal.hh"

namespace pushrod {

namespace {

struct LogsRequest {
  std::string app;
  LogQuery query;
  bool follow = false;
  std::optional<ReleaseNumber> deployment;  // instead of the instances' output
  bool json = false;
};

// A follower keeps a file of each instance open, and an app may have many, of many releases.
void allow_many_files() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int instance_logs(Context& context, const LogsRequest& request) {
  const auto receiver = log_receiver(request.json);
  AppLogs logs(context, AppName::parse(request.app), request.query);
  logs.read(receiver);
  if (!request.follow) return kExitOk;
  allow_many_files();
  logs.follow(receiver);
  return kExitOk;
}

int deployment_log(Context& context, const LogsRequest& request) {
  if (!request.query.since.empty()) {
    throw UsageError("--since and --deployment cannot be combined", "the lines of a deployment's log have no times");
  }
  if (!request.query.process.empty()) {
    throw UsageError("--process and --deployment cannot be combined", "a deployment's log is not of one process");
  }
  const auto show_line = [&](const std::string& line) {
    const bool is_colourful = !request.json && is_terminal(STDOUT_FILENO);
    print(request.json ? one_line(Json{{"text", line}})
                       : (is_colourful ? terminal_safe(line) : plain_text(line)) + "\n");
    check_output();
  };
  read_deployment_log(context, AppName::parse(request.app),
                      {*request.deployment, request.query.lines, request.query.grep, request.follow}, show_line,
                      log_receiver(false).note);
  return kExitOk;
}

int logs(Context& context, const LogsRequest& request) {
  stop_signal_fd();
  return request.deployment ? deployment_log(context, request) : instance_logs(context, request);
}

}  // namespace

void add_logs_verb(Grammar& grammar) {
  const auto words = std::make_shared<LogsRequest>();
  grammar.verb("logs", "what an app writes", [words](Context& context) { return logs(context, *words); })
      .app(words->app)
      .flag("-f,--follow", words->follow, "keep printing as more is written")
      .option("-n,--lines", words->query.lines, "how many lines to begin with (default: 100; with --since all)")
      .option("--process", words->query.process, "only this process type, or TYPE.N; router: the requests")
      .option("--since", words->query.since, "only lines since then: 10m, 2h (ago), or \"2026-11-22 15:04\" (UTC)")
      .option("--grep", words->query.grep, "only lines in which this regular expression is found")
      .option("--deployment", words->deployment, "the log of this deployment instead")
      .json(words->json);
}

}  // namespace pushrod
