// Reads and writes the files of cgroups. They are no ordinary files: each write is one system call that the kernel
// accepts or refuses.
#include "sandbox/cgroup.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error.hh"
#include "base/text.hh"
#include "os/files.hh"
#include "os/unique_fd.hh"

namespace pushrod {

namespace {

constexpr const char* kMount = "/sys/fs/cgroup";
constexpr const char* kOwnLeaf = "pushrod";
constexpr unsigned kCpuPeriod = 100'000;  // microseconds
// bwrap and its parts, which come and go before the command starts.
constexpr unsigned kProcessesOfSandbox = 4;
constexpr Milliseconds kLastBreath{2'000};  // of what was killed
constexpr Milliseconds kAskAgain{100};      // the change may have come between reading and waiting

bool put(const fs::path& file, const std::string& value) {
  const UniqueFd fd(open(file.c_str(), O_WRONLY | O_CLOEXEC));
  return fd && write(fd.get(), value.data(), value.size()) == static_cast<ssize_t>(value.size());
}

std::optional<std::string> get(const fs::path& file) {
  try {
    return read_file(file, 65'536);
  } catch (const Error&) {  // the group went while it was read
    return std::nullopt;
  }
}

std::optional<std::uint64_t> number_in(const fs::path& file) {
  const auto text = get(file);
  return text ? parse_unsigned(trim(*text)) : std::nullopt;
}

// "name 12" in a file of such lines.
std::optional<std::uint64_t> number_in(const fs::path& file, std::string_view name) {
  for (const std::string& line : lines_of(get(file).value_or(""))) {
    if (line.starts_with(name) && line.size() > name.size() && line[name.size()] == ' ') {
      return parse_unsigned(std::string_view(line).substr(name.size() + 1));
    }
  }
  return std::nullopt;
}

std::vector<std::string> words_in(const fs::path& file) {
  auto words = split(std::string(trim(get(file).value_or(""))), ' ');
  std::erase(words, "");
  return words;
}

// The file becomes readable out of band when the last process of the group is gone.
void await_empty(const fs::path& group) {
  const UniqueFd events(open((group / "cgroup.events").c_str(), O_RDONLY | O_CLOEXEC));
  const Deadline deadline(kLastBreath);
  while (events && number_in(group / "cgroup.events", "populated") == 1 && !deadline.passed()) {
    char text[128];
    if (pread(events.get(), text, sizeof text, 0) < 0) return;
    pollfd change{events.get(), POLLPRI, 0};
    poll(&change, 1, static_cast<int>(std::min(deadline.left(), kAskAgain).count()));
  }
}

bool has(const std::vector<std::string>& list, const char* word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

}  // namespace

std::vector<std::pair<std::string, std::string>> cgroup_settings(const Limits& limits) {
  std::vector<std::pair<std::string, std::string>> settings;
  const auto number = [](auto value) { return value ? std::to_string(*value) : std::string("max"); };
  settings.emplace_back("memory.max", number(limits.memory));
  // Else what is over the limit would be swapped out, and nothing would have an end.
  settings.emplace_back("memory.swap.max", limits.memory ? "0" : "max");
  // An instance that has lost some of its processes does not work: the kernel ends all of them.
  settings.emplace_back("memory.oom.group", "1");
  settings.emplace_back("cpu.max", limits.cpu_percent
                                       ? fmt::format("{} {}", *limits.cpu_percent * (kCpuPeriod / 100), kCpuPeriod)
                                       : fmt::format("max {}", kCpuPeriod));
  settings.emplace_back("pids.max", limits.processes ? std::to_string(*limits.processes + kProcessesOfSandbox) : "max");
  return settings;
}

fs::path Cgroups::own_group() {
  for (const std::string& line : lines_of(get("/proc/self/cgroup").value_or(""))) {
    if (!line.starts_with("0::/")) continue;
    const fs::path group = kMount + line.substr(3);
    return fs::exists(group / "cgroup.controllers") ? group : fs::path{};
  }
  return {};
}

std::optional<Cgroups> Cgroups::take(const fs::path& subtree) {
  if (subtree.empty() || access((subtree / "cgroup.procs").c_str(), W_OK) != 0 ||
      access((subtree / "cgroup.subtree_control").c_str(), W_OK) != 0) {
    return std::nullopt;
  }
  const auto there = words_in(subtree / "cgroup.controllers");
  if (!has(there, "memory") || !has(there, "pids")) return std::nullopt;
  // A group that has other processes belongs to a login session, and could not pass controllers on.
  if (trim(get(subtree / "cgroup.procs").value_or("")) != std::to_string(getpid())) return std::nullopt;
  const fs::path leaf = subtree / kOwnLeaf;
  if ((mkdir(leaf.c_str(), 0755) != 0 && errno != EEXIST) || !put(leaf / "cgroup.procs", "0")) return std::nullopt;
  if (!put(subtree / "cgroup.subtree_control", "+memory +pids")) {
    put(subtree / "cgroup.procs", "0");
    rmdir(leaf.c_str());
    return std::nullopt;
  }
  put(subtree / "cgroup.subtree_control", "+cpu");
  return Cgroups(subtree);
}

std::optional<Cgroups> Cgroups::recorded(const fs::path& file) {
  const auto subtree = read_file(file, 4096);
  if (!subtree || !is_directory(*subtree)) return std::nullopt;
  return Cgroups(*subtree);
}

void Cgroups::record(const fs::path& file) const { write_file(file, subtree_.native(), 0600, false); }

bool Cgroups::holds_us() const {
  const std::string own = own_group().native() + "/";
  return own.starts_with(subtree_.native() + "/");
}

std::vector<std::string> Cgroups::controllers() const { return words_in(subtree_ / "cgroup.subtree_control"); }

std::optional<fs::path> Cgroups::make(const std::string& name, const Limits& limits) const {
  const fs::path group = subtree_ / name;
  if (mkdir(group.c_str(), 0755) != 0 && errno != EEXIST) return std::nullopt;
  for (const auto& [file, value] : cgroup_settings(limits)) {
    // What the kernel does not have (cpu, where it is not delegated) is not limited, and doctor says so.
    if (!put(group / file, value) && errno != ENOENT && errno != EACCES) return std::nullopt;
  }
  return group;
}

bool Cgroups::remove(const std::string& name) const {
  const fs::path group = subtree_ / name;
  if (rmdir(group.c_str()) == 0 || errno == ENOENT) return true;
  put(group / "cgroup.kill", "1");
  await_empty(group);
  return rmdir(group.c_str()) == 0;
}

void Cgroups::remove_all(const std::string& prefix) const {
  for (const std::string& name : list_directory(subtree_)) {
    if (name.starts_with(prefix)) remove(name);
  }
}

std::optional<CgroupUsage> Cgroups::usage(const std::string& name) const {
  const fs::path group = subtree_ / name;
  const auto memory = number_in(group / "memory.current");
  const auto microseconds = number_in(group / "cpu.stat", "usage_usec");
  const auto processes = number_in(group / "pids.current");
  if (!memory || !microseconds || !processes) return std::nullopt;
  return CgroupUsage{*memory, Milliseconds{*microseconds / 1000}, static_cast<unsigned>(*processes)};
}

bool Cgroups::ran_out_of_memory(const std::string& name) const {
  return number_in(subtree_ / name / "memory.events", "oom_kill").value_or(0) > 0;
}

}  // namespace pushrod
