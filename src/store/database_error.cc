// SQLite's failures as one clear line and a remedy.
// A database that is busy names who holds it, as the kernel tells it.
#include "store/database_error.hh"

#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <vector>

#include "base/text.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

namespace fs = std::filesystem;

// "pid 1234 (sqlite3)" for each other process with a lock on the file. A line of /proc/locks (proc(5)):
//   1: POSIX  ADVISORY  WRITE 1234 fd:01:123456 1073741824 1073741824
// A waiting lock has "->" as second word, and so one word more.
std::string lock_holders(const fs::path& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return {};
  const std::string file = fmt::format("{:02x}:{:02x}:{}", major(status.st_dev), minor(status.st_dev), status.st_ino);
  std::vector<std::string> holders;
  try {
    for (const std::string& line : lines_of(read_file("/proc/locks").value_or(""))) {
      std::vector<std::string> words;
      for (const std::string& word : split(line, ' ')) {
        if (!word.empty()) words.push_back(word);
      }
      if (words.size() != 8 || words[5] != file || words[4] == std::to_string(getpid())) continue;
      const std::string name = read_file(fs::path("/proc") / words[4] / "comm").value_or("?");
      const std::string holder = fmt::format("pid {} ({})", escaped(words[4]), escaped(trim(name)));
      if (holders.empty() || holders.back() != holder) holders.push_back(holder);
    }
  } catch (const Error&) {
    // The holder's name is a courtesy; /proc may be hidden from us.
  }
  return join(holders, ", ");
}

Error busy(const fs::path& path, Milliseconds patience) {
  const std::string holders = lock_holders(path);
  return Error(fmt::format("the database {} was busy for {}{}", quoted(path.native()), format_duration(patience),
                           holders.empty() ? "" : ", used by " + holders),
               "end the program that holds it, then try again; nothing was changed");
}

}  // namespace

Error damaged(const fs::path& path, const std::string& reason) {
  return Error(fmt::format("the database {} is damaged: {}", quoted(path.native()), escaped(reason)),
               "stop Pushrod, keep a copy of the file, and restore a backup or what `sqlite3 FILE .recover` can read");
}

Error database_error(const fs::path& path, Milliseconds patience, int code, const std::string& message) {
  const auto error = [&](std::string_view what, std::string_view hint) {
    return Error(fmt::format("{} {}: {}", what, quoted(path.native()), escaped(message)), std::string(hint));
  };
  switch (code & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return busy(path, patience);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return damaged(path, message);
    case SQLITE_READONLY:
      return error("cannot write to the database",
                   "let the user that runs Pushrod write to the file and its directory, on a disk mounted read-write");
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return error("cannot open the database",
                   "let the user that runs Pushrod read and write the file and its directory");
    case SQLITE_FULL:
      return error("no room for the database", "free some space on its disk, then try again; nothing was changed");
    case SQLITE_IOERR:
      return error("cannot read or write the database",
                   "look for errors of the disk (dmesg) and for room on it, then try again");
    default:
      return error("unexpected answer of the database", {});
  }
}

}  // namespace pushrod
