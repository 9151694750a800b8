// Where an archive is put together or taken apart: directories of one process, which end with it.
#pragma once

#include <filesystem>
#include <string>

#include "model/layout.hh"
#include "os/file_lock.hh"

namespace pushrod {

// transfers/<name>/ for what is large, and run/transfers/<name>/ for secrets, which never lie elsewhere: run/ may be a
// tmpfs. Both are removed with this object, or by remove_left_transfers() when its process was killed.
class Transfer {
 public:
  explicit Transfer(const Layout& layout);
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  const std::string& name() const noexcept { return name_; }
  const std::filesystem::path& files() const noexcept { return files_; }
  const std::filesystem::path& secrets() const noexcept { return secrets_; }

 private:
  std::string name_;
  std::filesystem::path files_, secrets_, lock_file_;
  FileLock lock_;
};

// Does the process that made it still live?
bool is_alive(const Layout& layout, const std::string& transfer);
void remove_left_transfers(const Layout& layout);

}  // namespace pushrod
