// What goes when the disk is full, and what is refused then.
#include "deploy/make_room.hh"

#include <gmock/gmock.h>

#include <limits>

#include "world.hh"

namespace pushrod {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr auto kAll = std::numeric_limits<std::uint64_t>::max();

class Room : public DeployTest {
 protected:
  Room() { add_app("blog"); }
  ReleaseNumber release() {
    const auto id = CommitId::parse(std::string(40, 'a'));
    const auto begun = store()
                           .begin_deployments({{.app_id = app("blog").id,
                                                .kind = DeploymentKind::Redeploy,
                                                .commit = id,
                                                .previous = id,
                                                .author = "ann",
                                                .detail = {}}})
                           .front();
    store().advance(begun.group, DeploymentState::Running);
    store().add_release({.app_id = begun.app_id,
                         .app = begun.app,
                         .number = begun.number,
                         .commit = id,
                         .checkout = begun.number,
                         .builder = "none",
                         .processes = {},
                         .environment = {},
                         .created = now(),
                         .source = app("blog").source()});
    put(layout_.checkouts(app("blog").name) / std::to_string(begun.number) / "tree" / "file", 100'000);
    store().advance(begun.group, DeploymentState::Ready);
    store().commit_group(begun.group);
    store().advance(begun.group, DeploymentState::Live);
    place_checkouts(platform(), app("blog"));
    return begun.number;
  }
  static void put(const fs::path& file, std::size_t bytes) {
    make_directory(file.parent_path());
    write_file(file, std::string(bytes, 'x'), 0600, false);
  }
  std::vector<std::string> removed(std::uint64_t wanted = kAll) {
    std::vector<std::string> what;
    for (const auto& each : make_room(platform(), wanted)) what.push_back(each.what);
    return what;
  }
};

TEST_F(Room, TheLiveReleaseAndTheOneBeforeItStay) {
  for (int i = 0; i < 4; ++i) release();
  EXPECT_THAT(removed(), ElementsAre("release 1", "release 2"));
  EXPECT_THAT(list_directory(layout_.checkouts(app("blog").name)), ElementsAre("4"));
  EXPECT_THAT(list_directory(layout_.releases(app("blog").name)), ElementsAre("3"));
  EXPECT_THAT(list_directory(layout_.trash()), IsEmpty()) << "only what is deleted makes room";
  EXPECT_THAT(removed(), IsEmpty());
}

TEST_F(Room, CachesAndSparesGoAndTellTheirSize) {
  put(layout_.build_cache(app("blog").name) / "pip" / "wheel", 300'000);
  put(layout_.spare_checkout(app("blog").name) / "tree" / "file", 5'000);
  const auto gone = make_room(platform(), kAll, app("blog"));
  ASSERT_EQ(gone.size(), 2U);
  for (const auto& each : gone) {
    EXPECT_EQ(each.app.str(), "blog");
    if (each.what == "build cache") {
      EXPECT_GE(each.bytes, 300'000U);
    }
  }
  EXPECT_THAT(list_directory(layout_.cache(app("blog").name)), IsEmpty());
}

TEST_F(Room, NothingIsRemovedWhenEnoughSpaceIsFree) {
  for (int i = 0; i < 4; ++i) release();
  EXPECT_THAT(removed(1), IsEmpty());
}

TEST_F(Room, AnAppThatIsBeingDeployedIsPassedOver) {
  for (int i = 0; i < 4; ++i) release();
  const auto lock = FileLock::acquire(layout_.app_lock(app("blog").name));
  EXPECT_THAT(removed(), IsEmpty());
}

TEST_F(Room, APushThatDoesNotFitIsRefusedWithFigures) {
  check_room(platform(), 1'000'000, 1);
  try {
    check_room(platform(), std::uint64_t{1} << 60, 3);
    FAIL();
  } catch (const UserError& error) {
    EXPECT_THAT(error.message(), HasSubstr("the commit needs twice the 1.2 EB of its files for each of 3 apps"));
    EXPECT_THAT(error.message(), HasSubstr("[retention] free_space"));
  }
  EXPECT_THROW(check_room(platform(), kAll, 50), UserError) << "nothing overflows";
}

}  // namespace
}  // namespace pushrod
