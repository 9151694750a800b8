// Which software builds can use: read from the times of files, since asking each tool for its version costs a process.
#include "build/software.hh"

#include <fmt/format.h>
#include <sys/stat.h>

#include "os/files.hh"

namespace pushrod {

namespace {

// Of what a symlink points to; "absent" for what is not there.
std::string stamp_of(const fs::path& file) {
  struct stat status = {};
  if (stat(file.c_str(), &status) != 0) return "absent";
  return fmt::format("{}.{:09}/{}", status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_size);
}

}  // namespace

std::string software_stamp(const InstalledSoftware& where) {
  std::string stamp = stamp_of(where.packages);
  for (const auto& name : list_directory(where.programs)) {
    stamp += fmt::format(" {}={}", name, stamp_of(where.programs / name));
  }
  return stamp;
}

}  // namespace pushrod
