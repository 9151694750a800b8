// Carries a build plan or a release command out in the sandbox, streams its output, and tells how it ended. Second half
// of the build step, and the release step; builder.cc chose the plan.
#include <fmt/format.h>

#include <algorithm>

#include "base/error.hh"
#include "base/text.hh"
#include "build/builder.hh"
#include "build/builders.hh"
#include "os/files.hh"
#include "sandbox/sandbox.hh"
#include "sandbox/sandbox_group.hh"

namespace pushrod {

namespace {

constexpr std::size_t kEvidenceLines = 20;
constexpr std::size_t kEvidenceBytes = 16'384;
constexpr std::size_t kOutputCap = std::size_t{256} << 20;

// The end of a stream of output.
class Tail {
 public:
  void add(std::string_view chunk) {
    text_ += chunk.substr(chunk.size() - std::min(chunk.size(), kEvidenceBytes));
    if (text_.size() > 2 * kEvidenceBytes) text_.erase(0, text_.size() - kEvidenceBytes);
  }
  std::vector<std::string> last_lines() const {
    std::vector<std::string> lines = lines_of(text_);
    if (lines.size() > kEvidenceLines) lines.erase(lines.begin(), lines.end() - kEvidenceLines);
    for (std::string& line : lines) line = terminal_safe(line);
    return lines;
  }

 private:
  std::string text_;
};

struct Kind {
  std::string name;     // "the build"
  std::string setting;  // of its time limit
};
const Kind kBuild{"the build", "[limits] build_timeout"};
const Kind kRelease{"the release command", "[limits] release_timeout"};

Environment base_environment(const BuildPlan& plan) {
  Environment environment{{"HOME", "/app"}, {"LANG", "C.UTF-8"}, {"PATH", path_variable()}};
  for (const auto& [name, value] : plan.environment) environment[name] = value;
  return environment;
}

Sandbox sandbox_of(const SandboxJob& job, Environment environment, const std::string& command) {
  Sandbox sandbox;
  sandbox.host_name = job.app.str();
  sandbox.etc = write_sandbox_etc(job.layout.sandbox_etc());
  for (const auto& [name, value] : job.environment) environment[name] = value;
  sandbox.environment = std::move(environment);
  sandbox.command = "set -e\n" + command;
  sandbox.limits = job.limits;
  return sandbox;
}

bool mentions(const std::vector<std::string>& lines, std::initializer_list<std::string_view> phrases) {
  return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
    return std::any_of(phrases.begin(), phrases.end(),
                       [&](std::string_view phrase) { return line.find(phrase) != std::string::npos; });
  });
}

std::string hint_for(const CommandResult& result, const std::vector<std::string>& lines, const Limits& limits) {
  if (result.end != CommandResult::End::Exited) return {};
  if (limits.processes && mentions(lines, {"Resource temporarily unavailable", "Cannot fork", "start new thread"})) {
    return fmt::format("it may have {} processes and threads at a time: [limits] build_processes in server.toml",
                       *limits.processes);
  }
  if (limits.memory && mentions(lines, {"Cannot allocate memory", "MemoryError", "out of memory", "bad_alloc"})) {
    return fmt::format("it may use {} of memory: [limits] build_memory in server.toml", format_bytes(*limits.memory));
  }
  if (result.code == 128 + 9) return "137 means killed by SIGKILL: the machine may have run out of memory";
  if (result.code == 127) return "127 means that a program was not found: the last lines say which";
  return {};
}

void run_in(Sandbox sandbox, const SandboxJob& job, const Kind& kind) {
  Tail tail;
  const SandboxGroup group(job.layout, sandbox);
  Command command = sandbox_command(sandbox);
  command.deadline = job.timeout;
  command.output_cap = kOutputCap;
  command.merge_output = true;
  command.cancel_fd = job.cancel_fd;
  command.on_output = [&](std::string_view chunk) {
    tail.add(chunk);
    if (job.on_output) job.on_output(chunk);
    return true;
  };
  const CommandResult result = run(command);
  if (result.ok()) return;

  UserError error = [&] {
    if (group.ran_out_of_memory()) {
      return UserError{fmt::format("{} was killed: out of memory", kind.name),
                       fmt::format("it may use {}: [limits] build_memory in server.toml",
                                   sandbox.limits.memory ? format_bytes(*sandbox.limits.memory) : "no more")};
    }
    switch (result.end) {
      case CommandResult::End::TimedOut:
        return UserError{
            fmt::format("{} was stopped after {}", kind.name, format_duration(job.timeout)),
            fmt::format("make it quicker, or have the administrator raise {} in server.toml", kind.setting)};
      case CommandResult::End::Cancelled:
        return UserError{fmt::format("{} was cancelled", kind.name)};
      case CommandResult::End::OutputTooLong:
        return UserError{fmt::format("{} was stopped: it printed more than {}", kind.name, format_bytes(kOutputCap)),
                         "send its output to a file"};
      default:
        return UserError{result.end == CommandResult::End::Exited
                             ? fmt::format("{} failed with {}", kind.name, result.describe())
                             : fmt::format("{} was {}", kind.name, result.describe()),
                         hint_for(result, tail.last_lines(), sandbox.limits)};
    }
  }();
  error.set_evidence(tail.last_lines());
  throw error;
}

}  // namespace

void run_build(const BuildPlan& plan, const SandboxJob& job) {
  if (plan.command.empty()) return;
  const fs::path app = app_directory(job.checkout, job.path);
  const fs::path cache = job.layout.build_cache(job.app);
  make_directory(cache);

  Sandbox sandbox = sandbox_of(job, base_environment(plan), plan.command);
  // Over whatever the release's own environment says: at run time a cache lies in /tmp.
  sandbox.environment["XDG_CACHE_HOME"] = "/cache";
  sandbox.environment["PIP_CACHE_DIR"] = "/cache/pip";
  sandbox.environment["npm_config_cache"] = "/cache/npm";
  sandbox.mounts = {{app, "/app", true}, {cache, "/cache", true}};
  if (plan.needs_venv) {
    make_directory(job.checkout.venv());
    sandbox.mounts.push_back({job.checkout.venv(), "/venv", true});
  }
  run_in(sandbox, job, kBuild);
}

void run_release_command(const std::string& command, const BuildPlan& plan, const SandboxJob& job) {
  const fs::path data = job.layout.data(job.app);
  make_directory(data);

  Environment environment = base_environment(plan);
  environment["DATA_DIR"] = "/data";
  Sandbox sandbox = sandbox_of(job, std::move(environment), command);
  sandbox.mounts = {{app_directory(job.checkout, job.path), "/app", false}, {data, "/data", true}};
  if (plan.needs_venv) sandbox.mounts.push_back({job.checkout.venv(), "/venv", false});
  run_in(sandbox, job, kRelease);
}

}  // namespace pushrod
