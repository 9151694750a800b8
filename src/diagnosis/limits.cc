// Limits of memory and processes that a program reached, and where they are set.
#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "base/text.hh"
#include "diagnosis/facts.hh"

namespace pushrod {

namespace {

std::string where_memory_is_set(const FailedProgram& failed) {
  if (failed.stage != Stage::Instance) return "[limits] build_memory in server.toml";
  return fmt::format("memory in [processes.{}] of pushrod.toml, or [limits] instance_memory in server.toml",
                     failed.type);
}

std::string where_processes_are_set(const FailedProgram& failed) {
  if (failed.stage != Stage::Instance) return "[limits] build_processes in server.toml";
  return fmt::format("processes in [processes.{}] of pushrod.toml, or [limits] instance_processes in server.toml",
                     failed.type);
}

// Near the end: a program that recovered from it goes on printing.
bool is_mentioned(const Facts& facts, const char* expression) {
  constexpr std::size_t kNear = 60;
  const re2::RE2 pattern(expression);
  const auto near = static_cast<std::ptrdiff_t>(std::min(facts.lines.size(), kNear));
  return std::any_of(facts.lines.end() - near, facts.lines.end(),
                     [&](const std::string& line) { return re2::RE2::PartialMatch(line, pattern); });
}

}  // namespace

std::string explain_limit(const Facts& facts) {
  const auto& failed = facts.failed;
  const bool killed = failed.signal == "SIGKILL" || failed.exit_code == 128 + 9;
  if (failed.out_of_memory && !failed.limits.memory) {
    return fmt::format("it used up the memory that it may have: raise {}", where_memory_is_set(failed));
  }
  if (failed.limits.memory &&
      (failed.out_of_memory ||
       is_mentioned(facts, R"(Cannot allocate memory|\bMemoryError\b|(?i:out of memory)|bad_alloc|\bENOMEM\b)"
                           R"(|java\.lang\.OutOfMemoryError|runtime: cannot allocate|failed to allocate memory)"))) {
    return fmt::format("it used up its memory limit of {}: raise {}", format_bytes(*failed.limits.memory),
                       where_memory_is_set(failed));
  }
  if (failed.limits.processes &&
      is_mentioned(facts, R"(Resource temporarily unavailable|Cannot fork|can't start new thread|\bEAGAIN\b.*spawn)"
                          R"(|spawn \S+ EAGAIN|unable to create (?:new )?native thread|newosproc)")) {
    return fmt::format("it used up its limit of {} processes and threads: raise {}", *failed.limits.processes,
                       where_processes_are_set(failed));
  }
  if (killed) {
    return "it was killed by SIGKILL, but not for a limit of its own: the machine may have run out of memory (see the "
           "kernel's log)";
  }
  if (failed.signal == "SIGSYS" || failed.exit_code == 128 + 31) {
    return "it made a system call that the sandbox does not allow: docs/security.md lists them";
  }
  return {};
}

}  // namespace pushrod
