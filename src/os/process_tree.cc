// Reads /proc/*/stat once, hangs every process below its parent, and adds up.
#include "os/process_tree.hh"

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "base/error.hh"
#include "base/text.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

// Of proc(5)'s fields of stat, counted from the one after the name.
enum Field : std::size_t { kParent = 1, kFirstTime = 11, kTimes = 4, kResidentPages = 21 };

struct Seen {
  pid_t parent = 0;
  std::uint64_t ticks = 0;
  std::uint64_t resident_pages = 0;
};

std::optional<std::string> text_of(const fs::path& file) {
  try {
    return read_file(file, 65'536);
  } catch (const Error&) {  // it has ended, or is not ours
    return std::nullopt;
  }
}

std::optional<Seen> look_at(const std::string& pid) {
  const auto text = text_of("/proc/" + pid + "/stat");
  if (!text) return std::nullopt;
  // The name is in parentheses and may hold anything.
  const auto end_of_name = text->rfind(") ");
  if (end_of_name == std::string::npos) return std::nullopt;
  const auto fields = split(text->substr(end_of_name + 2), ' ');
  if (fields.size() <= kResidentPages) return std::nullopt;
  Seen seen;
  seen.parent = static_cast<pid_t>(parse_unsigned(fields[kParent]).value_or(0));
  for (std::size_t time = kFirstTime; time < kFirstTime + kTimes; ++time) {
    seen.ticks += parse_unsigned(fields[time]).value_or(0);
  }
  seen.resident_pages = parse_unsigned(fields[kResidentPages]).value_or(0);
  return seen;
}

std::uint64_t memory_of(pid_t pid, const Seen& seen) {
  for (const std::string& line : lines_of(text_of("/proc/" + std::to_string(pid) + "/smaps_rollup").value_or(""))) {
    if (!line.starts_with("Pss:")) continue;
    const auto words = std::string(trim(std::string_view(line).substr(4)));
    if (const auto kilobytes = parse_unsigned(words.substr(0, words.find(' ')))) return *kilobytes * 1024;
  }
  return seen.resident_pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

struct Processes {
  std::map<pid_t, Seen> all;
  std::multimap<pid_t, pid_t> children;
};

Processes look_at_all() {
  Processes processes;
  for (const std::string& name : list_directory("/proc")) {
    const auto pid = parse_unsigned(name);
    if (!pid) continue;
    if (const auto seen = look_at(name)) {
      processes.all.emplace(static_cast<pid_t>(*pid), *seen);
      processes.children.emplace(seen->parent, static_cast<pid_t>(*pid));
    }
  }
  return processes;
}

}  // namespace

std::vector<pid_t> children_of(pid_t parent) {
  const auto pid = std::to_string(parent);
  const auto list = text_of("/proc/" + pid + "/task/" + pid + "/children");
  std::vector<pid_t> children;
  if (!list) {
    const auto processes = look_at_all();
    const auto [first, last] = processes.children.equal_range(parent);
    for (auto child = first; child != last; ++child) children.push_back(child->second);
    return children;
  }
  for (const std::string& word : split(*list, ' ')) {
    if (const auto child = parse_unsigned(word)) children.push_back(static_cast<pid_t>(*child));
  }
  return children;
}

std::vector<pid_t> descendants_of(pid_t root) {
  const auto processes = look_at_all();
  std::vector<pid_t> found{root};
  for (std::size_t at = 0; at < found.size(); ++at) {
    const auto [first, last] = processes.children.equal_range(found[at]);
    for (auto child = first; child != last; ++child) found.push_back(child->second);
  }
  found.erase(found.begin());
  return found;
}

std::uint64_t bytes_in_mount_of(pid_t process, const std::string& path) {
  const auto root = "/proc/" + std::to_string(process) + "/root";
  struct stat above {};
  struct stat mounted {};
  struct statvfs room {};
  const auto inside = root + path;
  if (stat((inside + "/..").c_str(), &above) != 0 || stat(inside.c_str(), &mounted) != 0) return 0;
  if (above.st_dev == mounted.st_dev || statvfs(inside.c_str(), &room) != 0) return 0;
  return (room.f_blocks - room.f_bfree) * room.f_frsize;
}

bool is_stopped(pid_t process) {
  const auto text = text_of("/proc/" + std::to_string(process) + "/stat").value_or("");
  const auto end_of_name = text.rfind(") ");
  return end_of_name != std::string::npos && text.compare(end_of_name + 2, 1, "T") == 0;
}

std::string command_below(pid_t root, const std::vector<std::string>& skipped) {
  for (const auto pid : descendants_of(root)) {
    const auto process = "/proc/" + std::to_string(pid);
    const auto name = std::string(trim(text_of(process + "/comm").value_or("")));
    if (name.empty() || std::find(skipped.begin(), skipped.end(), name) != skipped.end()) continue;
    auto words = split(text_of(process + "/cmdline").value_or(""), '\0');
    std::erase_if(words, [](const std::string& word) { return word.empty(); });
    if (!words.empty()) return join(words, " ");
  }
  return {};
}

std::map<pid_t, TreeUsage> measure_trees(const std::vector<pid_t>& roots) {
  const auto [all, children] = look_at_all();
  const auto ticks_a_second = static_cast<std::uint64_t>(sysconf(_SC_CLK_TCK));
  std::map<pid_t, TreeUsage> usage;
  for (const pid_t root : roots) {
    TreeUsage& tree = usage[root];
    std::vector<pid_t> waiting{root};
    while (!waiting.empty()) {
      const auto [first, last] = children.equal_range(waiting.back());
      waiting.pop_back();
      for (auto child = first; child != last; ++child) {
        const Seen& seen = all.at(child->second);
        tree.processor += Milliseconds{seen.ticks * 1000 / ticks_a_second};
        tree.memory += memory_of(child->second, seen);
        ++tree.processes;
        if (seen.parent == root) tree.child = child->second;
        waiting.push_back(child->second);
      }
    }
  }
  return usage;
}

}  // namespace pushrod
