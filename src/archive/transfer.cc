// Where an archive is put together or taken apart.
#include "archive/transfer.hh"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <set>

#include "base/error.hh"
#include "os/clock.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

std::string unique_name() {
  static std::atomic<unsigned> count{0};
  return fmt::format("{}.{}.{}", to_epoch_milliseconds(now()), getpid(), ++count);
}

}  // namespace

Transfer::Transfer(const Layout& layout)
    : name_(unique_name()),
      files_(layout.transfers() / name_),
      secrets_(layout.secret_transfers() / name_),
      lock_file_(layout.transfer_lock(name_)),
      lock_((make_directory(layout.locks()), FileLock::acquire(lock_file_))) {
  lock_.announce("a transfer");
  make_directory(files_);
  make_directory(secrets_);
}

Transfer::~Transfer() {
  try {
    remove_tree(secrets_);
    remove_tree(files_);
    remove_file(lock_file_);
  } catch (const Error&) {  // the daemon tries again
  }
}

bool is_alive(const Layout& layout, const std::string& transfer) {
  return !FileLock::try_acquire(layout.transfer_lock(transfer)).has_value();
}

void remove_left_transfers(const Layout& layout) {
  std::set<std::string> names;
  for (const auto& directory : {layout.transfers(), layout.secret_transfers()}) {
    for (auto& name : list_directory(directory)) names.insert(std::move(name));
  }
  for (const auto& name : list_directory(layout.locks())) {  // of one that was killed before it made a directory
    constexpr std::string_view kPrefix = "transfer.";
    if (name.starts_with(kPrefix)) names.insert(name.substr(kPrefix.size()));
  }
  for (const auto& name : names) {
    const auto lock = FileLock::try_acquire(layout.transfer_lock(name));
    if (!lock) continue;
    remove_tree(layout.secret_transfers() / name);
    remove_tree(layout.transfers() / name);
    remove_file(layout.transfer_lock(name));
  }
}

}  // namespace pushrod
