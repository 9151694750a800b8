// Where programs lie, and the environment that tools get.
// What child_process.cc looks a name up with.
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/error.hh"
#include "base/text.hh"
#include "os/command.hh"

namespace pushrod {

namespace {

std::string home_directory() {
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') return home;
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 4096> buffer{};
  if (getpwuid_r(geteuid(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) return "/";
  return found->pw_dir;
}

// A login that is not root's often has no sbin, where sshd and haproxy live.
std::string search_path() {
  const char* ours = std::getenv("PATH");
  std::vector<std::string> directories =
      split(ours != nullptr && *ours != '\0' ? ours : "/usr/local/bin:/usr/bin:/bin", ':');
  for (const char* wanted : {"/usr/local/sbin", "/usr/sbin", "/sbin"}) {
    if (std::find(directories.begin(), directories.end(), wanted) == directories.end())
      directories.emplace_back(wanted);
  }
  return join(directories, ":");
}

bool is_executable_file(const std::filesystem::path& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && access(path.c_str(), X_OK) == 0;
}

}  // namespace

Environment tool_environment() {
  Environment environment{{"PATH", search_path()}, {"HOME", home_directory()}, {"LANG", "C.UTF-8"}};
  if (const char* zone = std::getenv("TZ")) environment["TZ"] = zone;
  return environment;
}

std::optional<std::filesystem::path> find_program(const std::string& name, const Environment& environment) {
  if (name.find('/') != std::string::npos) {
    if (is_executable_file(name)) return name;
    return std::nullopt;
  }
  const auto search = environment.find("PATH");
  if (name.empty() || search == environment.end()) return std::nullopt;
  for (const std::string& directory : split(search->second, ':')) {
    // An empty or relative entry would run a program from the current directory.
    if (!directory.starts_with('/')) continue;
    std::filesystem::path candidate = std::filesystem::path(directory) / name;
    if (is_executable_file(candidate)) return candidate;
  }
  return std::nullopt;
}

std::filesystem::path own_program() {
  std::error_code error;
  std::string path = std::filesystem::read_symlink("/proc/self/exe", error).native();
  if (error) throw SystemError("find our own program", error.value());
  // Replaced by an upgrade while we run: the new one lies at the same place.
  constexpr std::string_view kDeleted = " (deleted)";
  if (path.ends_with(kDeleted)) path.resize(path.size() - kDeleted.size());
  return path;
}

}  // namespace pushrod
