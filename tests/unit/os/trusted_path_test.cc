// Paths that lead where they say, also if other users of this machine try to redirect them.
#include "os/trusted_path.hh"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "fixtures.hh"
#include "os/files.hh"

namespace pushrod {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

class TrustedPath : public InTemporaryDirectory {
 protected:
  TrustedPath() { make_directory(media_, 0755); }
  fs::path media_ = root_ / "srv/media";
};

TEST_F(TrustedPath, ADirectoryOfOursIsTrusted) {
  EXPECT_EQ(why_not_trusted(media_), "");
  EXPECT_EQ(why_not_trusted("/usr"), "");
  // Who may write to the directory itself does not matter.
  chmod(media_.c_str(), 0777);
  EXPECT_EQ(why_not_trusted(media_), "");
}

TEST_F(TrustedPath, WhatIsNoDirectoryIsNot) {
  EXPECT_THAT(why_not_trusted(media_ / "none/x"), EndsWith("srv/media/none does not exist"));
  write_file(media_ / "file", "");
  EXPECT_THAT(why_not_trusted(media_ / "file"), EndsWith("srv/media/file is not a directory"));
  EXPECT_THAT(why_not_trusted(media_ / "file/x"), HasSubstr("srv/media/file is not a directory"));
}

TEST_F(TrustedPath, ALinkIsNotAnywhereOnTheWay) {
  make_directory(media_ / "a/b");
  fs::create_symlink("a", media_ / "link");
  EXPECT_THAT(why_not_trusted(media_ / "link"), EndsWith("srv/media/link is a symbolic link"));
  EXPECT_THAT(why_not_trusted(media_ / "link/b"), EndsWith("srv/media/link is a symbolic link"));
}

TEST_F(TrustedPath, ADirectoryInWhichOthersCanReplaceItIsNot) {
  for (const mode_t mode : {mode_t{0775}, mode_t{0757}}) {
    chmod(media_.parent_path().c_str(), mode);
    EXPECT_THAT(why_not_trusted(media_), HasSubstr("srv is writable by other users, who could replace \"media\""));
  }
  // As in /tmp, others cannot replace what is not theirs.
  chmod(media_.parent_path().c_str(), 01777);
  EXPECT_EQ(why_not_trusted(media_), "");
}

}  // namespace
}  // namespace pushrod
