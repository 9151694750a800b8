// How archives are written and read; tests/e2e/test_archives.py shows what comes of it.
#include "archive/tar.hh"

#include <gmock/gmock.h>

#include "base/error.hh"

namespace pushrod {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;

TEST(Tar, WritesTheDescriptionFirstAndTheEndMarkLast) {
  const PackList list{
      {"pushrod-app.json", "repository.bundle"}, {"settings/A"}, "/root/data/shop", {"data/a.db"}, {"sqlite/a.db"}};
  auto words = pack_arguments(list);
  EXPECT_THAT(words, Contains("--exclude-from=/archive/excluded"));
  words.erase(words.begin(), std::find(words.begin(), words.end(), "--directory=/archive"));
  EXPECT_THAT(words, ElementsAre("--directory=/archive", "--add-file=pushrod-app.json", "--add-file=repository.bundle",
                                 "--directory=/secrets", "--add-file=settings/A", "--directory=/", "data",
                                 "--directory=/archive", "--null", "--verbatim-files-from",
                                 "--files-from=/archive/copies", "--add-file=end"));
}

TEST(Tar, LeavesOutWhatIsNotThere) {
  const auto words = pack_arguments({{"pushrod-app.json"}, {}, {}, {}, {}});
  EXPECT_THAT(words, Not(Contains("data")));
  EXPECT_THAT(words, Not(Contains("--exclude-from=/archive/excluded")));
  EXPECT_EQ(words.back(), "--add-file=end");
}

TEST(Tar, NeverReplacesAFileThatItHasWritten) { EXPECT_THAT(unpack_arguments(), Contains("--keep-old-files")); }

TEST(Tar, AFileThatChangesWhileItIsReadIsNoFailure) {
  CommandResult result;
  result.code = 1;
  EXPECT_NO_THROW(check_packed(result, "tar: data/log: file changed as we read it"));
  result.code = 2;
  try {
    check_packed(result, "tar: data/x: Cannot open: Permission denied\ntar: Exiting\n");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "the archive could not be written: data/x: Cannot open: Permission denied");
  }
}

}  // namespace
}  // namespace pushrod
