// What the author of an instance that is not healthy is told.
#include "engine/local/failure_hint.hh"

#include <gmock/gmock.h>

#include <csignal>

namespace pushrod {
namespace {

using testing::HasSubstr;

constexpr Port kPort = 20001;

InstancePlan plan(const std::string& type) {
  const Process process{.type = ProcessType::parse(type), .command = "serve", .health = {}};
  return {.name = {AppName::parse("blog"), 1, process.type, 1},
          .process = process,
          .port = type == "web" ? std::optional(kPort) : std::nullopt,
          .ports = {},
          .checkout = {"/nonexistent"},
          .source = {RepoName::parse("blog"), BranchName::parse("main"), ""},
          .environment = {}};
}

ServiceStatus ended(ExitStatus how) {
  ServiceStatus status;
  status.deaths = 1;
  status.last_exit = how;
  return status;
}

std::string hint(const std::string& type, const ServiceStatus& status, const std::vector<std::string>& output = {}) {
  return explain_unhealthy(plan(type), status, false, output);
}

TEST(FailureHint, ComesFromTheSocketsOfAnInstanceThatRuns) {
  EXPECT_EQ(hint_from_listeners(kPort, {}),
            "it does not listen on any port: a web process must listen on $PORT (20001)");
  EXPECT_EQ(hint_from_listeners(kPort, {{"0.0.0.0:8000", 8000, true}, {"[::1]:9", 9, false}}),
            "it listens on 0.0.0.0:8000, [::1]:9, not on $PORT (20001)");
  EXPECT_EQ(hint_from_listeners(kPort, {{"192.0.2.1:20001", kPort, false}}),
            "it listens on 192.0.2.1:20001, which connections to 127.0.0.1 do not reach: listen on 0.0.0.0 or "
            "127.0.0.1");
  EXPECT_EQ(hint_from_listeners(kPort, {{"127.0.0.1:20001", kPort, true}}), "") << "it is only slow";
}

TEST(FailureHint, ComesFromTheExitStatus) {
  EXPECT_THAT(hint("web", ended(ExitStatus::exited(0))), HasSubstr("it ended without an error"));
  EXPECT_THAT(hint("worker", ended(ExitStatus::exited(0))), HasSubstr("must stay in the foreground"));
  EXPECT_THAT(hint("console", ended(ExitStatus::exited(1))), HasSubstr("scale blog console=0"));
  EXPECT_EQ(hint("web", ended(ExitStatus::exited(1))), "");
  EXPECT_THAT(hint("web", ended(ExitStatus::out_of_memory())), HasSubstr("memory"));
  EXPECT_THAT(hint("web", ended(ExitStatus::signalled(SIGKILL))), HasSubstr("SIGKILL"));
}

TEST(FailureHint, ComesFromTheOutputBeforeTheExitStatus) {
  EXPECT_THAT(hint("worker", ended(ExitStatus::exited(127)), {"/bin/bash: line 1: gunicorn: command not found"}),
              HasSubstr("gunicorn"));
}

TEST(FailureHint, SaysWhatAHealthCheckMustAnswer) {
  auto web = plan("web");
  web.process.health.path = "/health";
  EXPECT_EQ(explain_unhealthy(web, {}, true, {}),
            "the answer to GET /health must be 2xx or 3xx: see health.path of [processes.web]");
}

}  // namespace
}  // namespace pushrod
