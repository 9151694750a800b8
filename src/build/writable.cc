// From paths that an app wants to write to, to directories of its built release.
// After the build, before anything of the release is started. The tree is what a build has made, so symlinks
// are resolved here, as the sandbox will see them, and never by the kernel of the host.
#include "build/writable.hh"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <deque>

#include "base/error.hh"
#include "base/text.hh"
#include "os/files.hh"
#include "sandbox/sandbox.hh"

namespace pushrod {

namespace {

constexpr int kMostLinks = 40;
constexpr mode_t kDirectoryMode = 0755;

[[noreturn]] void refuse(const std::string& path, const std::string& problem, const std::string& hint) {
  throw UserError(fmt::format("[app] writable: {} {}", quoted(path), problem), hint);
}

std::deque<std::string> parts_of(const fs::path& path) {
  std::deque<std::string> parts;
  for (const auto& part : path) {
    if (!part.empty() && part != "." && part != "/") parts.push_back(part.native());
  }
  return parts;
}

bool looks_like_file(const fs::path& name) { return name.has_extension() && !name.stem().empty(); }

bool lies_in(const fs::path& path, const fs::path& directory) {
  const auto [end, ignored] = std::mismatch(directory.begin(), directory.end(), path.begin(), path.end());
  return end == directory.end();
}

// Walks along one path, as a process in the sandbox would.
class Walk {
 public:
  Walk(const AppTree& tree, const std::string& path)
      : root_(tree.root), path_(path), ahead_(parts_of(path == "." ? fs::path{} : fs::path(tree.path) / path)) {}

  // The directory, relative to the root. Absent: it leads to where everything is writable.
  std::optional<fs::path> to_directory() {
    while (!ahead_.empty()) {
      const auto part = ahead_.front();
      ahead_.pop_front();
      if (part == "..") {
        go_up();
        continue;
      }
      struct stat about = {};
      if (lstat((root_ / here_ / part).c_str(), &about) != 0) {
        if (ahead_.empty() && looks_like_file(part)) return here_;
        here_ /= part;
        if (mkdir((root_ / here_).c_str(), kDirectoryMode) != 0) throw_errno("make " + (root_ / here_).native());
      } else if (S_ISDIR(about.st_mode)) {
        here_ /= part;
      } else if (S_ISLNK(about.st_mode)) {
        if (!follow(part)) return std::nullopt;
      } else if (ahead_.empty()) {
        return here_;
      } else {
        refuse(path_, fmt::format("leads through {}, which is a file", quoted((here_ / part).native())),
               "name a directory, or a file in one");
      }
    }
    return here_;
  }

 private:
  void go_up() {
    if (here_.empty()) {
      refuse(path_, "is a symlink that leads out of the app's directory", "name the directory itself");
    }
    here_ = here_.parent_path();
  }

  // False: to a place that is writable.
  bool follow(const std::string& link) {
    const auto target = fs::read_symlink(root_ / here_ / link);
    if (++links_ > kMostLinks) refuse(path_, "leads through symlinks in a circle", "name the directory itself");
    auto parts = parts_of(target);
    if (target.is_absolute()) {
      const auto to = target.lexically_normal();
      if (lies_in(to, "/data") || lies_in(to, "/tmp")) return false;
      if (!lies_in(to, "/app")) {
        refuse(path_, fmt::format("is a symlink to {}, which is not a part of the app", quoted(target.native())),
               "let it lead to a path in /app, /data or /tmp");
      }
      here_.clear();
      parts = parts_of(to);
      parts.pop_front();  // "app"
    }
    ahead_.insert(ahead_.begin(), parts.begin(), parts.end());
    return true;
  }

  const fs::path& root_;
  const std::string& path_;
  fs::path here_;
  std::deque<std::string> ahead_;
  int links_ = 0;
};

void add_directory(const AppTree& tree, const std::string& path, std::vector<fs::path>& directories) {
  if (auto directory = Walk(tree, path).to_directory()) directories.push_back(*std::move(directory));
}

// Over an empty directory every kernel mounts a layer.
bool needs_overlay(const AppTree& tree, const std::vector<fs::path>& directories) {
  return std::any_of(directories.begin(), directories.end(),
                     [&](const fs::path& path) { return !list_directory(tree.root / path).empty(); });
}

}  // namespace

WritablePaths prepare_writable(const AppTree& tree, const WritablePaths& named, const WritablePaths& known) {
  std::vector<fs::path> directories;
  for (const auto& path : named) add_directory(tree, path, directories);
  std::optional<std::string> complaint;
  const auto has_no_overlays = [&] {
    if (!complaint) complaint = probe_writable();
    return !complaint->empty();
  };
  if (needs_overlay(tree, directories) && has_no_overlays()) {
    throw UserError("[app] writable is not possible on this machine: " + *complaint,
                    "until then, name directories only that the release does not contain, or write to /tmp or "
                    "$DATA_DIR");
  }
  for (const auto& path : known) {
    std::vector<fs::path> more;
    try {
      add_directory(tree, path, more);
    } catch (const UserError&) {
      continue;  // the app has arranged itself otherwise
    }
    if (needs_overlay(tree, more) && has_no_overlays()) continue;
    directories.insert(directories.end(), more.begin(), more.end());
  }

  // In order, a directory comes before what lies in it.
  std::sort(directories.begin(), directories.end());
  WritablePaths writable;
  for (const auto& path : directories) {
    if (path.empty()) return {"."};
    if (writable.empty() || !lies_in(path, writable.back())) writable.push_back(path.native());
  }
  std::sort(writable.begin(), writable.end());
  return writable;
}

}  // namespace pushrod
