// What is said to restic, and what it answers.
#include "restic/restic.hh"

#include <gmock/gmock.h>

#include "base/error.hh"

namespace pushrod {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST(Restic, SecretsAreInTheEnvironmentAndNotInTheArguments) {
  const ResticRepository repository{
      "s3:https://host/bucket", Secret("geheim"), {{"AWS_SECRET_ACCESS_KEY", Secret("schluessel")}}, "/cache"};
  const auto command = restic_command(repository, {"snapshots"});
  EXPECT_THAT(command.argv, ElementsAre("restic", "--quiet", "snapshots"));
  EXPECT_EQ(command.environment.at("RESTIC_REPOSITORY"), "s3:https://host/bucket");
  EXPECT_EQ(command.environment.at("RESTIC_PASSWORD"), "geheim");
  EXPECT_EQ(command.environment.at("AWS_SECRET_ACCESS_KEY"), "schluessel");
  EXPECT_EQ(command.environment.at("SSH_ASKPASS_REQUIRE"), "force");
}

TEST(Restic, SnapshotsAreReadWithTheirTagsOldestFirst) {
  const auto found = parse_snapshots(R"([
    {"time":"2026-11-29T22:40:08.123456789+01:00","short_id":"bbbbbbbb","tags":["pushrod","app=shop","checked"]},
    {"time":"2026-11-29T20:40:08Z","short_id":"aaaaaaaa","tags":null}])");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].id, "aaaaaaaa");
  EXPECT_TRUE(found[0].tags.empty());
  EXPECT_EQ(found[1].tags.at("app"), "shop");
  EXPECT_TRUE(found[1].tags.contains("checked"));
  EXPECT_EQ(found[1].time - found[0].time, std::chrono::hours(1));
  EXPECT_TRUE(parse_snapshots("null").empty());
  EXPECT_TRUE(parse_snapshots("[]").empty());
  EXPECT_THROW(parse_snapshots("oops"), Error);
}

TEST(Restic, AFailureSaysWhatResticSays) {
  CommandResult result;
  result.code = 1;
  const auto error = restic_failed("the backup could not be written", result, "\nFatal: unable to open\nmore\n");
  EXPECT_EQ(error.message(), "the backup could not be written: Fatal: unable to open");
  EXPECT_EQ(restic_failed("x", result, "").message(), "x: restic: exit code 1");
}

}  // namespace
}  // namespace pushrod
