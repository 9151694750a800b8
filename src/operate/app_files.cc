// Files of an app's /data.
#include "operate/app_files.hh"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "deploy/trash.hh"
#include "operate/audit.hh"
#include "os/beneath.hh"
#include "os/clock.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

constexpr std::size_t kChunk = 256 * 1024;

std::string shown(const std::string& path) { return quoted(path.empty() ? "/data" : "/data/" + path); }

// What the kernel says of a path that the app has made.
UserError refused(const std::string& path, int code) {
  if (code == ENOENT)
    return UserError(fmt::format("{} does not exist", shown(path)), "see what there is: files APP ls");
  if (code == ELOOP || code == ENOTDIR) {
    return UserError(fmt::format("{} leads over a symbolic link or a file, which is not followed", shown(path)),
                     "name the file by its own path");
  }
  return UserError(fmt::format("{}: {}", shown(path), SystemError("", code).message()));
}

template <class Work>
auto on_path(const std::string& path, const Work& work) {
  try {
    return work();
  } catch (const SystemError& error) {
    throw refused(path, error.code());
  }
}

struct Place {
  UniqueFd directory;
  std::string name;
};
Place place_of(const fs::path& data, const std::string& path, bool make) {
  const fs::path relative(path);
  return on_path(path, [&] {
    auto directory = make ? make_directory_beneath(data, relative.parent_path())
                          : open_directory_beneath(data, relative.parent_path());
    return Place{std::move(directory), relative.filename().string()};
  });
}

DataEntry entry_of(const std::string& name, const struct stat& status) {
  const char type = S_ISREG(status.st_mode) ? 'f' : S_ISDIR(status.st_mode) ? 'd' : S_ISLNK(status.st_mode) ? 'l' : 'o';
  return {name, type, static_cast<std::uint64_t>(status.st_size),
          from_epoch_milliseconds(std::int64_t{status.st_mtim.tv_sec} * 1000 + status.st_mtim.tv_nsec / 1'000'000)};
}

std::vector<DataEntry> entries_of(UniqueFd fd) {
  const int number = fd.release();
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(fdopendir(number), closedir);
  if (!directory) {
    close(number);
    throw_errno("reading a directory of /data");
  }
  std::vector<DataEntry> entries;
  while (const auto* one = readdir(directory.get())) {
    const std::string name(one->d_name);
    struct stat status = {};
    if (name == "." || name == ".." || fstatat(number, one->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
    entries.push_back(entry_of(name, status));
  }
  std::ranges::sort(entries, {}, &DataEntry::name);
  return entries;
}

fs::path data_of(Session& session, const AppName& app) {
  session.require_app(app, Right::Deploy);
  return session.layout().data(app);
}

void require_name(const std::string& path) {
  if (path.empty()) throw UserError("name a file of /data", "for example: files shop get uploads/photo.jpg");
}

std::uint64_t copy(int in, int out, const Session& session, std::uint64_t free_space) {
  std::vector<char> chunk(kChunk);
  std::uint64_t total = 0;
  while (true) {
    const auto length = read(in, chunk.data(), chunk.size());
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) throw_errno("reading");
    if (length == 0) return total;
    if (free_space > 0 && free_bytes(session.layout().root()) < free_space) {
      throw UserError(
          fmt::format("not enough disk space: {} must stay free ([retention] free_space)", format_bytes(free_space)),
          "nothing was changed");
    }
    write_all(out, {chunk.data(), static_cast<std::size_t>(length)}, "writing the file");
    total += static_cast<std::uint64_t>(length);
  }
}

}  // namespace

std::string parse_data_path(const std::string& text) {
  std::string path = text;
  if (path == "/data" || path.starts_with("/data/")) path.erase(0, 5);
  while (path.starts_with("/")) path.erase(0, 1);
  while (path.ends_with("/")) path.pop_back();
  if (path.empty() || path == ".") return {};
  const auto parts = split(path, '/');
  const bool is_fit =
      path.size() <= 4096 && path.find('\0') == path.npos && std::ranges::all_of(parts, [](const auto& part) {
        return !part.empty() && part != "." && part != ".." && part.size() <= 255;
      });
  if (!is_fit)
    throw UserError(fmt::format("{} is no path in /data", quoted(text)),
                    "write it without empty, \".\" and \"..\" parts");
  return path;
}

std::vector<DataEntry> list_data(Session& session, const AppName& app, const std::string& path) {
  const auto data = data_of(session, app);
  if (path.empty()) return on_path(path, [&] { return entries_of(open_directory_beneath(data, "")); });
  const auto place = place_of(data, path, false);
  struct stat status = {};
  if (fstatat(place.directory.get(), place.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) throw refused(path, errno);
  if (!S_ISDIR(status.st_mode)) return {entry_of(place.name, status)};
  return on_path(path, [&] { return entries_of(open_directory_beneath(data, path)); });
}

void get_data(Session& session, const AppName& app, const std::string& path, int out) {
  require_name(path);
  const auto place = place_of(data_of(session, app), path, false);
  const UniqueFd file(
      openat(place.directory.get(), place.name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file) throw refused(path, errno);
  struct stat status = {};
  if (fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    throw UserError(fmt::format("{} is not a file", shown(path)), "a whole /data: app export APP > app.tar");
  }
  copy(file.get(), out, session, 0);
}

std::uint64_t put_data(Session& session, const AppName& app, const std::string& path, int in) {
  require_name(path);
  const auto data = data_of(session, app);
  std::uint64_t bytes = 0;
  audited(session, {app.str(), "files put", path}, [&] {
    const auto place = place_of(data, path, true);
    const auto draft = fmt::format(".pushrod-put.{}", getpid());
    unlinkat(place.directory.get(), draft.c_str(), 0);
    const UniqueFd file(
        openat(place.directory.get(), draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
    if (!file) throw refused(path, errno);
    try {
      bytes = copy(in, file.get(), session, session.settings().free_space);
      if (fsync(file.get()) != 0) throw_errno("flushing the file");
      if (renameat(place.directory.get(), draft.c_str(), place.directory.get(), place.name.c_str()) != 0) {
        throw refused(path, errno);
      }
    } catch (const Error&) {
      unlinkat(place.directory.get(), draft.c_str(), 0);
      throw;
    }
    fsync(place.directory.get());
  });
  return bytes;
}

void remove_data(Session& session, const AppName& app, const std::string& path, bool recursive) {
  require_name(path);
  const auto place = place_of(data_of(session, app), path, false);
  struct stat status = {};
  if (fstatat(place.directory.get(), place.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) throw refused(path, errno);
  if (S_ISDIR(status.st_mode) && !recursive) {
    throw UserError(
        fmt::format("{} is a directory", shown(path)),
        fmt::format("to delete it with all that is in it: files {} rm --recursive {}", app.str(), shell_quoted(path)));
  }
  audited(session, {app.str(), "files rm", path}, [&] {
    if (!S_ISDIR(status.st_mode)) {
      if (unlinkat(place.directory.get(), place.name.c_str(), 0) != 0) throw refused(path, errno);
      return;
    }
    // Out of the app's reach first, so that it cannot change what is being deleted.
    const auto& layout = session.layout();
    make_directory(layout.trash());
    const auto grave = layout.trash() / fmt::format("{}.{}.data", to_epoch_milliseconds(now()), getpid());
    // A directory that may not be written to cannot be moved into another one.
    const UniqueFd directory(
        openat(place.directory.get(), place.name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (directory) fchmod(directory.get(), 0700);
    if (renameat(place.directory.get(), place.name.c_str(), AT_FDCWD, grave.c_str()) != 0) throw refused(path, errno);
    empty_trash(layout);
  });
}

Json to_json(const DataEntry& entry) {
  return {{"name", plain_text(entry.name)},
          {"type", entry.type == 'f'   ? "file"
                   : entry.type == 'd' ? "directory"
                   : entry.type == 'l' ? "link"
                                       : "other"},
          {"bytes", entry.bytes},
          {"modified", iso_time(entry.modified)}};
}

}  // namespace pushrod
