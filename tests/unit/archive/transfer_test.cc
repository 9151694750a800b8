// Directories of archives on their way.
#include "archive/transfer.hh"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>

#include "os/files.hh"

namespace pushrod {
namespace {

class TransferTest : public testing::Test {
 protected:
  ~TransferTest() override { remove_tree(root_); }
  fs::path root_ = mkdtemp(std::string("/tmp/transfer.XXXXXX").data());
  Layout layout_{root_};
  bool is_empty() const {
    return list_directory(layout_.transfers()).empty() && list_directory(layout_.secret_transfers()).empty() &&
           list_directory(layout_.locks()).empty();
  }
};

TEST_F(TransferTest, EndsWithItsProcessOrIsRemovedAfterIt) {
  {
    const Transfer transfer(layout_);
    write_file(transfer.secrets() / "a", "secret");
    remove_left_transfers(layout_);
    EXPECT_TRUE(is_alive(layout_, transfer.name()));
    EXPECT_TRUE(is_plain_file(transfer.secrets() / "a"));
  }
  EXPECT_TRUE(is_empty());
}

TEST_F(TransferTest, WhatAKilledProcessHasLeftIsRemoved) {
  const auto child = fork();
  if (child == 0) {
    const Transfer transfer(layout_);
    write_file(transfer.files() / "a", "x");
    _exit(0);
  }
  waitpid(child, nullptr, 0);
  EXPECT_FALSE(is_empty());
  remove_left_transfers(layout_);
  EXPECT_TRUE(is_empty());
  EXPECT_FALSE(is_alive(layout_, "gone"));  // which makes its lock file
  remove_left_transfers(layout_);
  EXPECT_TRUE(is_empty());
}

}  // namespace
}  // namespace pushrod
