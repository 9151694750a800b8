// Walks part by part, each from the descriptor of the one before.
#include "os/beneath.hh"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/error.hh"
#include "base/text.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

constexpr mode_t kMode = 0755;
constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

UniqueFd walk(const std::filesystem::path& root, const std::filesystem::path& relative, bool make) {
  UniqueFd here(open(root.c_str(), kFlags));
  if (!here) throw_errno("open " + quoted(root.native()));
  for (const auto& part : relative) {
    const auto doing = [&] { return "open " + quoted((root / relative).native()); };
    if (part.empty() || part == ".") continue;
    if (part == ".." || part.is_absolute()) throw Error("not a path below a directory: " + quoted(relative.native()));
    if (make && mkdirat(here.get(), part.c_str(), kMode) != 0 && errno != EEXIST) throw_errno(doing());
    UniqueFd next(openat(here.get(), part.c_str(), kFlags));
    if (!next) throw_errno(doing());
    here = std::move(next);
  }
  return here;
}

}  // namespace

UniqueFd open_directory_beneath(const std::filesystem::path& root, const std::filesystem::path& relative) {
  return walk(root, relative, false);
}

UniqueFd make_directory_beneath(const std::filesystem::path& root, const std::filesystem::path& relative) {
  return walk(root, relative, true);
}

void move_beneath(const std::filesystem::path& from, const std::filesystem::path& root,
                  const std::filesystem::path& relative) {
  const auto parent = walk(root, relative.parent_path(), true);
  const auto name = relative.filename();
  if (renameat(AT_FDCWD, from.c_str(), parent.get(), name.c_str()) == 0) return;
  if ((errno != ENOTEMPTY && errno != EEXIST) ||
      renameat2(AT_FDCWD, from.c_str(), parent.get(), name.c_str(), RENAME_EXCHANGE) != 0) {
    throw_errno("move " + quoted(from.native()) + " to " + quoted((root / relative).native()));
  }
}

}  // namespace pushrod
