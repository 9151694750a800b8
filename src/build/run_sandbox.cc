// Runs a build or a release command in its sandbox, streams its output, and tells how it ended.
#include "build/run_sandbox.hh"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/error.hh"
#include "base/text.hh"
#include "build/git_access.hh"
#include "os/clock.hh"
#include "os/disk_use.hh"
#include "os/files.hh"
#include "sandbox/limits.hh"
#include "sandbox/sandbox_group.hh"

namespace pushrod {

namespace {

constexpr std::size_t kEvidenceBytes = 65'536;
constexpr std::size_t kTransientLines = 60;
constexpr std::size_t kOutputCap = std::size_t{256} << 20;

// The end of a stream of output, raw.
class Tail {
 public:
  void add(std::string_view chunk) {
    text_ += chunk.substr(chunk.size() - std::min(chunk.size(), kEvidenceBytes));
    if (text_.size() > 2 * kEvidenceBytes) text_.erase(0, text_.size() - kEvidenceBytes);
  }
  std::vector<std::string> lines() const { return lines_of(text_); }

 private:
  std::string text_;
};

// What a build has written to the disk. Looking takes time in proportion to the files, so a look that took long is not
// repeated soon.
class DiskWatch {
 public:
  DiskWatch(const SandboxJob& job, const std::vector<fs::path>& measured) : job_(job), measured_(measured) {}

  bool is_within() {
    if (since_.elapsed() < 20 * took_) return true;
    const Stopwatch watch;
    const auto before = use_;
    use_ = {};
    for (const auto& directory : measured_) {
      const auto use = measure_disk_use(directory, {.time = Milliseconds{5'000}});
      use_.bytes += use.bytes;
      use_.entries += use.entries;
      use_.complete = use_.complete && use.complete;
    }
    if (has_looked_ && use_.complete && (use_.bytes != before.bytes || use_.entries != before.entries)) {
      changed_ = Stopwatch();
    }
    has_looked_ = true;
    took_ = watch.elapsed();
    since_ = Stopwatch();
    return !has_too_many_bytes() && !has_too_many_entries();
  }
  // npm prints nothing while it downloads, but its files grow.
  bool has_changed_within(Milliseconds time) const { return changed_.elapsed() < time; }
  std::string reached() const {
    return has_too_many_bytes() ? fmt::format("it wrote more than {} to the disk", format_bytes(job_.disk_bytes))
                                : fmt::format("it made more than {} files and directories", job_.disk_entries);
  }
  const char* setting() const { return has_too_many_bytes() ? "build_disk" : "build_files"; }

 private:
  bool has_too_many_bytes() const { return job_.disk_bytes != 0 && use_.bytes > job_.disk_bytes; }
  bool has_too_many_entries() const { return job_.disk_entries != 0 && use_.entries > job_.disk_entries; }

  const SandboxJob& job_;
  const std::vector<fs::path>& measured_;
  DiskUse use_;
  bool has_looked_ = false;
  Milliseconds took_{0};
  Stopwatch since_;
  Stopwatch changed_;  // since the use was last seen to change
};

struct Kind {
  std::string name;     // "the build"
  std::string setting;  // of its time limit
  Stage stage;
};
Kind kind_of(Stage stage) {
  if (stage == Stage::Release) return {"the release command", "[limits] release_timeout", stage};
  return {"the build", "[limits] build_timeout", stage};
}

std::string name_of_signal(int number) {
  const char* name = sigabbrev_np(number);
  return name != nullptr ? fmt::format("SIG{}", name) : std::string{};
}

FailedProgram failed_program(const SandboxJob& job, const Sandbox& sandbox, const Kind& kind) {
  FailedProgram failed;
  failed.stage = kind.stage;
  failed.app = job.app.str();
  failed.code = app_directory(job.checkout, job.source.path);
  failed.directory = directory_in_sandbox(job.source);
  for (const auto& [name, value] : sandbox.environment) failed.variables.insert(name);
  failed.limits = sandbox.limits;
  return failed;
}

}  // namespace

Sandbox sandbox_of(const SandboxJob& job, const std::string& command) {
  Sandbox sandbox;
  sandbox.host_name = job.app.str();
  sandbox.directory = directory_in_sandbox(job.source);
  sandbox.etc = write_sandbox_etc(job.layout.sandbox_etc());
  write_sandbox_hosts(sandbox);
  sandbox.environment = job.environment;
  sandbox.command = "set -e\n" + command;
  sandbox.limits = job.limits;
  sandbox.tmpfs_bytes = tmpfs_bytes(job.tmpfs_bytes, job.limits);
  return sandbox;
}

void add_deploy_key(Sandbox& sandbox, const SandboxJob& job) {
  if (!job.deploy_key.empty()) sandbox.mounts.push_back({job.deploy_key, kDeployKeyDirectory, true});
}

void run_in(const Sandbox& given, const SandboxJob& job, Stage stage, const std::vector<fs::path>& measured) {
  auto sandbox = given;
  const Kind kind = kind_of(stage);
  const bool builds = stage == Stage::Build;
  DiskWatch disk(job, measured);
  sandbox.network = job.network || !builds;
  Tail tail;
  const SandboxGroup group(job.layout, sandbox);
  Command command = sandbox_command(sandbox);
  command.deadline = job.timeout;
  command.output_cap = kOutputCap;
  command.merge_output = true;
  command.cancel_fd = job.cancel_fd;
  if (builds) {
    command.silence = job.silence;
    command.confinement.in_background = true;
    if (!measured.empty()) {
      command.on_tick = [&disk] { return disk.is_within(); };
      command.shows_life = [&] { return disk.has_changed_within(job.silence); };
    }
  }
  command.on_output = [&](std::string_view chunk) {
    tail.add(chunk);
    if (job.on_output) job.on_output(chunk);
    return true;
  };
  const CommandResult result = run(command);
  if (result.ok()) return;
  if (result.end == CommandResult::End::Cancelled) throw Cancelled(kind.name);

  auto failed = failed_program(job, sandbox, kind);
  failed.output = tail.lines();
  UserError error = [&] {
    if (group.ran_out_of_memory()) {
      failed.out_of_memory = true;
      return UserError{fmt::format("{} was killed: out of memory", kind.name), diagnose(failed)};
    }
    switch (result.end) {
      case CommandResult::End::TimedOut:
        return UserError{
            fmt::format("{} was stopped after {}", kind.name, format_duration(job.timeout)),
            fmt::format("make it quicker, or have the administrator raise {} in server.toml", kind.setting)};
      case CommandResult::End::Silent:
        return UserError{
            fmt::format("{} was stopped: it printed nothing and wrote no files for {}", kind.name,
                        format_duration(job.silence)),
            "let it print what it does, or have the administrator raise [limits] build_silence in server.toml"};
      case CommandResult::End::Stopped:
        return UserError{
            fmt::format("{} was stopped: {}", kind.name, disk.reached()),
            fmt::format("write less, or have the administrator raise [limits] {} in server.toml", disk.setting())};
      case CommandResult::End::OutputTooLong:
        return UserError{fmt::format("{} was stopped: it printed more than {}", kind.name, format_bytes(kOutputCap)),
                         "send its output to a file"};
      case CommandResult::End::Exited:
        failed.exit_code = result.code;
        return UserError{fmt::format("{} failed with {}", kind.name, result.describe()), diagnose(failed)};
      default:
        failed.signal = name_of_signal(result.code);
        return UserError{fmt::format("{} was {}", kind.name, result.describe()), diagnose(failed)};
    }
  }();
  auto evidence = excerpt(failed.output);
  for (std::string& line : evidence) line = terminal_safe(line);
  error.set_evidence(std::move(evidence));
  const auto last = failed.output.end() - static_cast<std::ptrdiff_t>(std::min(failed.output.size(), kTransientLines));
  const bool is_transient =
      builds && result.end == CommandResult::End::Exited &&
      std::any_of(last, failed.output.end(), [](const auto& line) { return looks_transient(line); });
  if (is_transient) throw TransientFailure(error);
  throw error;
}

}  // namespace pushrod
