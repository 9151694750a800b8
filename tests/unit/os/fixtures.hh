// What the tests of this room share.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

#include "os/clock.hh"
#include "os/retry.hh"
#include "os/unique_fd.hh"

namespace pushrod {

// Long enough for a loaded machine; a test that passes never waits for it.
constexpr Milliseconds kPatience{20'000};

// A directory of its own for each test.
class InTemporaryDirectory : public testing::Test {
 protected:
  explicit InTemporaryDirectory(const std::filesystem::path& parent = std::filesystem::temp_directory_path()) {
    std::string name = parent / "pushrod-test-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) std::abort();
    root_ = name;
  }
  ~InTemporaryDirectory() override {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }
  std::filesystem::path root_;
};

// Root may do anything, so rights cannot be tested as root.
class AsOrdinaryUser {
 public:
  explicit AsOrdinaryUser(const std::filesystem::path& owned) {
    if (geteuid() != 0) return;
    if (chown(owned.c_str(), kNobody, kNobody) != 0 || seteuid(kNobody) != 0) std::abort();
  }
  AsOrdinaryUser(const AsOrdinaryUser&) = delete;
  AsOrdinaryUser& operator=(const AsOrdinaryUser&) = delete;
  ~AsOrdinaryUser() {
    if (getuid() == 0 && seteuid(0) != 0) std::abort();
  }

 private:
  static constexpr uid_t kNobody = 65'534;
};

// A pipe whose write end processes inherit: its read end tells when the last of them has died.
class LifeLine {
 public:
  int held_by_the_living() const { return pipe_.write_end.get(); }
  bool all_died() {
    pipe_.write_end.reset();
    return wait_for(pipe_.read_end.get(), POLLIN, Deadline(kPatience));
  }

 private:
  Pipe pipe_ = make_pipe();
};

}  // namespace pushrod
