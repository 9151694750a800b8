// The mounts of a release, and what the database keeps of them.
#include "model/release_mount.hh"

#include <gtest/gtest.h>

#include "base/error.hh"

namespace pushrod {
namespace {

TEST(ReleaseMounts, ComeBackAsTheyWereWritten) {
  const ReleaseMounts mounts{{"venv", "/venv"},
                             {"cargo", "/cargo", Access::Write, Access::None},
                             {"odd \"name\"", "/x", Access::Read, Access::Write}};
  EXPECT_EQ(mounts_from_json(to_json(mounts)), mounts);
  EXPECT_EQ(mounts_from_json("[]"), ReleaseMounts{});
}

TEST(ReleaseMounts, OfAnEarlierVersionAreRead) {
  EXPECT_EQ(mounts_from_json(R"([{"building":"write","directory":"venv","path":"/venv","running":"read"}])"),
            (ReleaseMounts{{"venv", "/venv", Access::Write, Access::Read}}));
}

TEST(ReleaseMounts, ThatNoReleaseHasAreRefused) {
  for (const char* text : {"", "{", "[1]", R"([{"directory":"venv"}])",
                           R"([{"building":"all","directory":"v","path":"/v","running":"read"}])"}) {
    EXPECT_THROW(mounts_from_json(text), Error) << text;
  }
}

}  // namespace
}  // namespace pushrod
