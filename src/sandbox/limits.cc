// From limits to the shim's words, and what they are worth on this machine.
#include "sandbox/limits.hh"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include <algorithm>

#include "base/text.hh"
#include "model/descriptors.hh"

namespace pushrod {

namespace {

constexpr std::uint64_t kOurProcesses = 1;  // pid 1 of the sandbox

template <typename Number>
std::optional<Number> smaller(std::optional<Number> one, std::optional<Number> other) {
  if (!one || !other) return one ? one : other;
  return std::min(*one, *other);
}

}  // namespace

Rlimits rlimits_of(const std::string& kernel_release) {
  const auto parts = split(kernel_release, '.');
  const auto number = [&](std::size_t at) {
    if (at >= parts.size()) return std::uint64_t{0};
    const auto digits = parts[at].substr(0, parts[at].find_first_not_of("0123456789"));
    return parse_unsigned(digits).value_or(0);
  };
  return {number(0) > 5 || (number(0) == 5 && number(1) >= 14)};
}

Rlimits rlimits_here() {
  utsname system{};
  uname(&system);
  return rlimits_of(system.release);
}

HardLimits hard_limits_of(pid_t process) {
  const auto hard = [process](__rlimit_resource resource) {
    rlimit limit = {};
    const bool is_limited = prlimit(process, resource, nullptr, &limit) == 0 && limit.rlim_max != RLIM_INFINITY;
    return is_limited ? std::uint64_t{limit.rlim_max} : std::numeric_limits<std::uint64_t>::max();
  };
  return {hard(RLIMIT_DATA), hard(RLIMIT_NPROC), hard(RLIMIT_NOFILE)};
}

std::vector<std::string> wall_words(const Sandbox& sandbox, Rlimits rlimits) {
  const Limits& limits = sandbox.limits;
  std::vector<std::string> words;
  for (const Port port : sandbox.ports) words.push_back(fmt::format("port={}", port));
  if (limits.memory && sandbox.cgroup.empty()) words.push_back(fmt::format("memory={}", *limits.memory));
  if (limits.processes && rlimits.count_processes_per_sandbox) {
    words.push_back(fmt::format("processes={}", *limits.processes + kOurProcesses));
  }
  words.push_back(
      fmt::format("open_files={}", std::min(limits.open_files.value_or(kMostAppDescriptors), kMostAppDescriptors)));
  if (sandbox.oom_score != 0) words.push_back(fmt::format("oom_score={}", sandbox.oom_score));
  return words;
}

std::uint64_t tmpfs_bytes(std::uint64_t allowed, const Limits& limits) {
  return std::min(allowed, limits.memory.value_or(allowed));
}

Limits tighter(const Limits& one, const Limits& other) {
  return {smaller(one.memory, other.memory), smaller(one.cpu_percent, other.cpu_percent),
          smaller(one.processes, other.processes), smaller(one.open_files, other.open_files)};
}

std::vector<std::string> shortcomings(const Limits& limits, Rlimits rlimits) {
  std::vector<std::string> found;
  if (limits.cpu_percent) found.emplace_back("cpu is not limited");
  if (limits.memory) found.emplace_back("memory is limited per process, not per instance");
  if (limits.processes && !rlimits.count_processes_per_sandbox) found.emplace_back("processes are not limited");
  return found;
}

std::vector<std::string> beyond(const Limits& limits, const HardLimits& most, bool has_cgroup) {
  std::vector<std::string> found;
  const auto compare = [&](const char* name, std::optional<std::uint64_t> wanted, std::uint64_t hard, const char* how) {
    if (!wanted || *wanted <= hard) return;
    found.push_back(fmt::format("{} is {} instead of {} (raise {})", name, hard, *wanted, how));
  };
  if (!has_cgroup) compare("memory", limits.memory, most.memory, "LimitDATA= of Pushrod's service, or ulimit -Hd");
  compare("processes", limits.processes, most.processes, "LimitNPROC= of Pushrod's service, or ulimit -Hu");
  const auto descriptors = most_app_descriptors(most.open_files);
  if (limits.open_files && *limits.open_files > descriptors) {
    found.push_back(fmt::format("open_files is {} instead of {} ({})", descriptors, *limits.open_files,
                                descriptors == kMostAppDescriptors
                                    ? "the most that an app may have"
                                    : "three quarters of LimitNOFILE= of Pushrod's service, or of ulimit -Hn"));
  }
  return found;
}

}  // namespace pushrod
