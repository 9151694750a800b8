// Walks part by part, each from the descriptor of the one before.
#include "os/trusted_path.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.hh"
#include "base/text.hh"
#include "os/unique_fd.hh"

namespace pushrod {

namespace {

bool is_ours(const struct stat& status) { return status.st_uid == 0 || status.st_uid == geteuid(); }

// Why others can replace `name` in this directory; empty: they cannot.
std::string why_replaceable(const struct stat& directory, const std::filesystem::path& path, const struct stat& entry,
                            const std::filesystem::path& name) {
  constexpr mode_t kOthers = S_IWGRP | S_IWOTH;
  const auto could = fmt::format("who could replace {} in it", quoted(name.native()));
  if (!is_ours(directory)) {
    return fmt::format("{} belongs to another user ({}), {}", path.native(), directory.st_uid, could);
  }
  if ((directory.st_mode & kOthers) == 0 || ((directory.st_mode & S_ISVTX) != 0 && is_ours(entry))) return {};
  return fmt::format("{} is writable by other users, {}", path.native(), could);
}

}  // namespace

std::string why_not_trusted(const std::filesystem::path& path) {
  constexpr int kFlags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
  UniqueFd here(open("/", kFlags));
  struct stat above = {};
  if (!here || fstat(here.get(), &above) != 0) throw_errno("open /");
  std::filesystem::path walked = "/";
  for (const auto& part : path.relative_path()) {
    const auto inner = walked / part;
    UniqueFd next(openat(here.get(), part.c_str(), kFlags));
    if (!next && errno == ENOENT) return fmt::format("{} does not exist", escaped(inner.native()));
    if (!next) return fmt::format("{} cannot be opened: {}", escaped(inner.native()), std::strerror(errno));
    struct stat status = {};
    if (fstat(next.get(), &status) != 0) throw_errno("look at " + quoted(inner.native()));
    if (S_ISLNK(status.st_mode)) return fmt::format("{} is a symbolic link", escaped(inner.native()));
    if (!S_ISDIR(status.st_mode)) return fmt::format("{} is not a directory", escaped(inner.native()));
    if (auto why = why_replaceable(above, walked, status, part); !why.empty()) return why;
    here = std::move(next);
    above = status;
    walked = inner;
  }
  return {};
}

}  // namespace pushrod
