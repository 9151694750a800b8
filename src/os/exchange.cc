#include "os/exchange.hh"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.hh"
#include "os/files.hh"

namespace pushrod {

bool exchange_paths(const fs::path& one, const fs::path& other) {
  if (renameat2(AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE) != 0) {
    if (errno == EINVAL || errno == ENOSYS) return false;
    throw_errno("exchange " + one.string() + " and " + other.string());
  }
  const auto directory = open_file(one.parent_path(), O_RDONLY | O_DIRECTORY);
  if (fsync(directory.get()) != 0) throw_errno("flush " + one.parent_path().string());
  return true;
}

}  // namespace pushrod
