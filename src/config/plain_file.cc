// Opens without following and without waiting, looks at what was opened, and only then reads.
// The door through which app_manifest.cc and settings_file.cc get their text.
#include "config/plain_file.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error.hh"
#include "base/text.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

std::string_view kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISFIFO(mode)) return "a named pipe";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

[[noreturn]] void refuse_kind(const std::string& shown, std::string_view kind) {
  throw UserError(fmt::format("{} is {}, not a regular file", shown, kind),
                  fmt::format("replace {} by a regular file, or remove it", shown));
}

// Absent if there is none.
std::optional<UniqueFd> open_plain_file(const std::filesystem::path& path, const std::string& shown,
                                        Symlinks symlinks) {
  const int follow = symlinks == Symlinks::Refuse ? O_NOFOLLOW : 0;
  try {
    // Without O_NONBLOCK, opening a FIFO would wait for a writer.
    return open_file(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | follow);
  } catch (const SystemError& error) {
    if (error.code() == ENOENT) return std::nullopt;
    if (error.code() == ELOOP) refuse_kind(shown, "a symbolic link");
    if (error.code() == ENXIO) refuse_kind(shown, "a socket");
    throw;
  }
}

}  // namespace

std::optional<std::string> read_plain_file(const std::filesystem::path& path, const std::string& shown, std::size_t cap,
                                           Symlinks symlinks) {
  const std::optional<UniqueFd> file = open_plain_file(path, shown, symlinks);
  if (!file) return std::nullopt;
  struct stat status {};
  if (fstat(file->get(), &status) != 0) throw_errno("cannot inspect " + shown);
  if (!S_ISREG(status.st_mode)) refuse_kind(shown, kind_of(status.st_mode));

  const auto refuse_size = [&](const std::string& size) {
    throw UserError(fmt::format("{} is {} long, and the limit is {}", shown, size, format_bytes(cap)));
  };
  if (static_cast<std::uint64_t>(status.st_size) > cap) {
    refuse_size(format_bytes(static_cast<std::uint64_t>(status.st_size)));
  }
  // It may have grown meanwhile: what is read counts. The space starts small, because clearing all of it takes longer
  // than reading a usual file.
  std::string text(std::min(static_cast<std::size_t>(status.st_size), cap) + 1, '\0');
  std::size_t length = 0;
  while (true) {
    if (length == text.size() && length > cap) break;
    if (length == text.size()) text.resize(std::min(2 * length, cap + 1));
    const ssize_t got = read(file->get(), text.data() + length, text.size() - length);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_errno("cannot read " + shown);
    if (got == 0) break;
    length += static_cast<std::size_t>(got);
  }
  if (length > cap) refuse_size("longer");
  text.resize(length);
  return text;
}

}  // namespace pushrod
