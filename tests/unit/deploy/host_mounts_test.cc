// Directories of the machine: offered by name, looked at whenever something starts.
#include "deploy/host_mounts.hh"

#include <gmock/gmock.h>

#include "world.hh"

namespace pushrod {
namespace {

using testing::HasSubstr;

class HostMountsOf : public DeployTest {
 protected:
  HostMountsOf() {
    make_directory(media_);
    add_app("blog");
  }
  ~HostMountsOf() override { remove_tree(base_); }

  static fs::path make_base() {
    auto name = fs::canonical(fs::temp_directory_path()) / "mounts-XXXXXX";
    return mkdtemp(std::string(name).data());
  }
  void offer(const std::string& apps, const std::string& more = {}) const {
    write_file(layout_.settings(),
               fmt::format("[mounts.media]\npath = \"{}\"\napps = [{}]\n{}", media_.native(), apps, more));
  }
  CommitId asking(const std::string& mount = "\"media\"") const {
    return commit({{"Procfile", "web: serve\n"}, {"pushrod.toml", "[mounts]\n\"/srv/media\" = " + mount + "\n"}});
  }
  HostDirectories planned() {
    const auto blog = app("blog");
    return plan_instances(platform(), blog, store().instances(blog.id)).at(0).directories;
  }
  std::string unfit(const fs::path& path, bool read_only = true) const {
    return why_unfit(layout_, {.path = path.native(), .read_only = read_only});
  }

  fs::path base_ = make_base();
  fs::path media_ = base_ / "media";
};

TEST_F(HostMountsOf, ARunningReleaseAreThoseThatTheOperatorAllows) {
  const std::string refusal = "blog may not mount \"media\"";
  EXPECT_THAT(run(push_of(asking())).outcome.refusal, HasSubstr(refusal));
  offer("\"other\"");
  EXPECT_THAT(run(push_of(asking())).outcome.refusal, HasSubstr(refusal));
  EXPECT_FALSE(app("blog").live);
  offer("\"other\", \"blog\"", "read_only = false\n");
  ASSERT_TRUE(run(push_of(asking())).outcome.live);
  ASSERT_EQ(planned().size(), 1U);
  EXPECT_EQ(planned()[0].from, media_.native());
  EXPECT_EQ(planned()[0].to, "/srv/media");
  EXPECT_TRUE(planned()[0].writable);
  // What changes in server.toml counts from the next start on.
  offer("\"blog\"");
  EXPECT_FALSE(planned()[0].writable);
  offer("");
  EXPECT_THROW(planned(), UserError);
  const auto before = everything();
  testing::internal::CaptureStderr();
  EXPECT_THAT(run(restart()).outcome.refusal, HasSubstr(refusal));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "") << "the reason is told once";
  reconcile();
  EXPECT_EQ(everything(), before);
  remove_file(layout_.settings());
  EXPECT_THROW(planned(), UserError);
}

TEST_F(HostMountsOf, AnAppCanAskForLess) {
  offer("\"blog\"", "read_only = false\n");
  ASSERT_TRUE(run(push_of(asking("{ name = \"media\", read_only = true }"))).outcome.live);
  EXPECT_FALSE(planned()[0].writable);
}

TEST_F(HostMountsOf, ADirectoryThatIsGoneOrALinkIsNotMounted) {
  offer("\"blog\"");
  ASSERT_TRUE(run(push_of(asking())).outcome.live);
  fs::rename(media_, base_ / "moved");
  EXPECT_THAT(run(push_of(asking())).outcome.refusal,
              HasSubstr("\"media\" cannot be mounted: " + media_.native() + " does not exist"));
  fs::create_symlink("moved", media_);
  EXPECT_THAT(run(restart()).outcome.refusal, HasSubstr(media_.native() + " is a symbolic link"));
  EXPECT_EQ(app("blog").live, 1U);
}

TEST_F(HostMountsOf, NothingOfPushrodsOwnIsFit) {
  EXPECT_EQ(unfit(media_), "");
  const auto root = fs::canonical(layout_.root());
  make_directory(root / "data/blog");
  for (const auto& path : {root, root / "data/blog", root.parent_path()}) {
    EXPECT_THAT(unfit(path), HasSubstr("holds Pushrod's own files, or lies among them")) << path;
  }
  EXPECT_THAT(unfit(fs::canonical(own_program()).parent_path()), HasSubstr("holds Pushrod's programs"));
  setenv("HOME", (media_ / "home").c_str(), 1);
  EXPECT_THAT(unfit(media_), HasSubstr("holds the home directory"));
  setenv("HOME", media_.c_str(), 1);
  EXPECT_THAT(unfit(media_), HasSubstr("holds the home directory"));
  setenv("HOME", base_.c_str(), 1);
  EXPECT_EQ(unfit(media_), "");
}

TEST_F(HostMountsOf, WhatPushrodsUserCannotUseIsNotFit) {
  ASSERT_NE(geteuid(), 0U) << "root may do everything: run the tests as an ordinary user, as script/test does";
  fs::permissions(media_, fs::perms::owner_read | fs::perms::owner_exec);
  EXPECT_EQ(unfit(media_), "");
  EXPECT_THAT(unfit(media_, false), HasSubstr("is not writable by Pushrod's user"));
  fs::permissions(media_, fs::perms::none);
  EXPECT_THAT(unfit(media_), HasSubstr("is not readable by Pushrod's user"));
  fs::permissions(media_, fs::perms::owner_all);
}

}  // namespace
}  // namespace pushrod
