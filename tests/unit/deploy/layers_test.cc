// Layers: made once, shared, and removed when no release names them. Their content comes from real pip, without a
// network.
#include "deploy/layers.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "deploy/kept_build.hh"
#include "world.hh"

namespace pushrod {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr const char* kInstalling = "-----> Installing packages (Python 3.";
constexpr const char* kUnchanged = "-----> Packages: unchanged (Python 3.";

class Layers : public DeployTest {
 protected:
  Layers() { add_app("blog"); }

  CommitId version(int number, const std::string& requirements = "# none\n", const std::string& more = {}) const {
    return commit({{"Procfile", "web: serve\n"},
                   {"requirements.txt", requirements},
                   {"tiny-1.0-py3-none-any.whl", wheel()},
                   {"pushrod.toml", more},
                   {"version", std::to_string(number)}},
                  repository().head_of(branch_));
  }
  CommitId with_tiny(int number, const std::string& more = {}) const {
    return version(number, "--no-index\n--find-links .\ntiny==1.0\n", more);
  }
  // Made once: it holds times, and a layer's name depends on its bytes.
  static const std::string& wheel() {
    static const std::string bytes = made_wheel();
    return bytes;
  }
  static std::string made_wheel() {
    const fs::path directory = fs::temp_directory_path() / fmt::format("pushrod-wheel-{}", getpid());
    make_directory(directory / "tiny-1.0.dist-info");
    write_file(directory / "tiny.py", "ANSWER = 42\n");
    write_file(directory / "tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n");
    write_file(directory / "tiny-1.0.dist-info/WHEEL",
               "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n");
    write_file(directory / "tiny-1.0.dist-info/RECORD",
               "tiny.py,,\ntiny-1.0.dist-info/METADATA,,\ntiny-1.0.dist-info/WHEEL,,\ntiny-1.0.dist-info/RECORD,,\n");
    Command zip;
    zip.argv = {"/usr/bin/python3", "-m", "zipfile", "-c", "tiny.whl", "tiny.py", "tiny-1.0.dist-info"};
    zip.directory = directory;
    run_checked(zip);
    auto bytes = read_file(directory / "tiny.whl").value();
    remove_tree(directory);
    return bytes;
  }
  std::vector<std::string> layers() const { return list_directory(layout_.layers()); }
  ReleaseMounts live_mounts(const std::string& name = "blog") {
    const auto found = app(name);
    return store().release(found.id, found.live.value())->mounts;
  }
  fs::path live_tree(const std::string& name = "blog") {
    return layout_.checkout(AppName::parse(name), app(name).live.value()).tree();
  }
};

TEST_F(Layers, AreMadeOnceForAllReleasesWithTheSamePackages) {
  const auto first = run(push_of(with_tiny(1)));
  ASSERT_TRUE(first.outcome.live) << first.text;
  EXPECT_THAT(first.text, HasSubstr(kInstalling));
  ASSERT_THAT(layers(), SizeIs(1));
  const auto layer = layers().front();
  EXPECT_THAT(live_mounts(), ElementsAre(ReleaseMount{"venv", "/venv", Access::Write, Access::Read, layer}));
  struct stat status = {};
  ASSERT_EQ(lstat(layout_.layer(layer).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0500U);
  EXPECT_EQ(list_directory(layout_.layer(layer)), (std::vector<std::string>{"app", "venv"})) << "no cache is left";

  const auto second = run(push_of(with_tiny(2)));
  ASSERT_TRUE(second.outcome.live) << second.text;
  EXPECT_THAT(second.text, HasSubstr(kUnchanged));
  EXPECT_THAT(second.text, Not(HasSubstr("Installing")));
  EXPECT_THAT(layers(), ElementsAre(layer));
}

TEST_F(Layers, AreSharedWhenAnotherDeploymentMadeThemDuringTheWaitForABuildSlot) {
  const auto change = push_of(with_tiny(1));
  Journal journal(-1);
  const Observer observer;
  pushrod::Run waiting{platform(), change, journal, -1, observer, Repository(layout_.repo(change.repo))};
  std::optional<FileLock> other;  // of a deployment that waits for the same slot
  const auto others_turn = [&] {
    make_directory(layout_.layer("python-1"));
    other = FileLock::acquire_shared(layout_.layer_lock("python-1"), nullptr);
  };
  const auto make = [](const auto&) { ADD_FAILURE() << "made twice"; };
  EXPECT_EQ(provide_layer(waiting, "python-1", false, {others_turn, make}), "python-1");
}

TEST_F(Layers, AreSharedByApps) {
  add_app("docs", "docs");
  auto files = std::map<std::string, std::string>{};
  for (const std::string directory : {"", "docs/"}) {
    files[directory + "Procfile"] = "web: serve\n";
    files[directory + "requirements.txt"] = "--no-index\n--find-links wheels\ntiny==1.0\n";
    files[directory + "wheels/tiny-1.0-py3-none-any.whl"] = wheel();
  }
  const auto told = run(push_of(commit(files)));
  ASSERT_TRUE(told.outcome.live) << told.text;
  EXPECT_THAT(layers(), SizeIs(1)) << told.text;
  EXPECT_EQ(live_mounts("blog"), live_mounts("docs"));
}

TEST_F(Layers, AreRemovedWhenNoReleaseNamesThem) {
  ASSERT_TRUE(run(push_of(with_tiny(1))).outcome.live);
  settle_down();
  ASSERT_THAT(layers(), SizeIs(1));
  ASSERT_TRUE(run(push_of(version(2))).outcome.live);
  settle_down();
  EXPECT_THAT(layers(), SizeIs(1)) << "the release before can be rolled back to";
  const auto blog = app("blog");
  store().remove_release(blog.id, 1);
  remove_unused_layers(platform());
  EXPECT_THAT(layers(), IsEmpty());
  EXPECT_FALSE(fs::exists(layout_.layer_lock("x")));
}

TEST_F(Layers, OfADeploymentThatGoesOnAreKept) {
  make_directory(layout_.layer("node-1"));
  make_directory(layout_.layer("node-2"));
  make_directory(layout_.layers() / "node-3.new");
  const auto lock = FileLock::acquire_shared(layout_.layer_lock("node-1"), nullptr);
  remove_unused_layers(platform());
  EXPECT_THAT(layers(), ElementsAre("node-1"));
}

TEST_F(Layers, OfAKeptBuildAreKept) {
  engine().unhealthy = "web";
  const auto failing = with_tiny(1);
  EXPECT_FALSE(run(push_of(failing)).outcome.live);
  engine().unhealthy.clear();
  settle_down();
  ASSERT_THAT(layers(), SizeIs(1));
  const auto told = run(push_of(failing));
  EXPECT_TRUE(told.outcome.live) << told.text;
  EXPECT_THAT(told.text, HasSubstr("Using the build of deployment 1"));
  EXPECT_EQ(live_mounts().at(0).layer, layers().front());
}

TEST_F(Layers, AreMadeAnewWithoutTheCache) {
  ASSERT_TRUE(run(push_of(with_tiny(1))).outcome.live);
  const auto before = layers().front();
  auto anew = redeploy();
  anew.no_cache = true;
  const auto told = run(anew);
  ASSERT_TRUE(told.outcome.live) << told.text;
  EXPECT_THAT(told.text, HasSubstr(kInstalling));
  EXPECT_THAT(layers(), ElementsAre(before, before + ".1"));
  EXPECT_EQ(live_mounts().at(0).layer, before + ".1");
  ASSERT_TRUE(run(push_of(with_tiny(3))).outcome.live);
  EXPECT_EQ(live_mounts().at(0).layer, before + ".1") << "the newest one";
}

TEST_F(Layers, ThatCannotBeMadeLeaveNothing) {
  const auto told = run(push_of(version(1, "--no-index\nno-such-package==1\n")));
  EXPECT_FALSE(told.outcome.live);
  EXPECT_THAT(told.text, HasSubstr("no-such-package"));
  EXPECT_THAT(layers(), IsEmpty());
}

TEST_F(Layers, KeepWhatABuildChangesForItsReleaseAlone) {
  const std::string after =
      "[build]\nafter = \"echo ANSWER = 4343 > $(python -c 'import tiny; print(tiny.__file__)'); python -c 'import "
      "tiny; "
      "print(tiny.ANSWER)' > answer\"\n";
  const auto told = run(push_of(with_tiny(1, after)));
  ASSERT_TRUE(told.outcome.live) << told.text;
  EXPECT_EQ(read_file(live_tree() / "answer"), "4343\n");
  ASSERT_EQ(live_mounts().size(), 2u);
  EXPECT_EQ(live_mounts().at(0), (ReleaseMount{"venv", "/venv"}));
  const auto kept = live_mounts().at(1);
  EXPECT_EQ(kept.layer, layers().front()) << "for the next build";
  EXPECT_TRUE(kept.building == Access::None && kept.running == Access::None);
  EXPECT_TRUE(is_directory(live_tree().parent_path() / "venv/bin"));
  EXPECT_FALSE(fs::exists(live_tree().parent_path() / "changes"));
  ASSERT_TRUE(run(push_of(with_tiny(2, "[build]\nafter = \"python -c 'import tiny; print(tiny.ANSWER)' > answer\"\n")))
                  .outcome.live);
  EXPECT_EQ(read_file(live_tree() / "answer"), "42\n") << "the layer is as it was";
  EXPECT_FALSE(live_mounts().at(0).layer.empty());
}

TEST_F(Layers, HaveTheDirectoriesThatAreToBeWritable) {
  make_directory(layout_.layer("node-1") / "app/node_modules/.cache");
  const ReleaseMounts mounts{{"app/node_modules", "/app/node_modules", Access::Write, Access::Read, "node-1"}};
  const auto refused = [&](const WritablePaths& paths) {
    try {
      check_writable(layout_, mounts, paths);
      return std::string{};
    } catch (const UserError& error) {
      return error.message();
    }
  };
  EXPECT_EQ(refused({".", "node_modules", "node_modules/.cache", "tmp", "node_modules_too/x"}), "");
  EXPECT_EQ(refused({"node_modules/.cache", "node_modules/own"}),
            "[app] writable: the packages in /app/node_modules have no directory \"node_modules/own\"");
}

TEST_F(Layers, AreMadeByOneOfTwoDeployments) {
  const auto name = std::string("node-0f");
  const auto go = layout_.root() / "go";
  const auto provide = [&](const std::string& who) {
    return in_child([&, who] {
      View view(layout_, settings_);
      Journal journal(-1);
      const Change nothing = push_of(version(1));
      pushrod::Run deployment{view.platform, nothing, journal, -1, {}, repository()};
      const auto provided = provide_layer(deployment, name, false,
                                          {[] {},
                                           [&](const fs::path& directory) {
                                             write_file(layout_.root() / ("made-by-" + who), "");
                                             while (!fs::exists(go)) usleep(1'000);
                                             write_file(directory / "content", who);
                                           }});
      if (provided != name || !is_plain_file(layout_.layer(name) / "content")) _exit(2);
    });
  };
  const auto first = provide("first");
  const auto made_by_first = layout_.root() / "made-by-first";
  const Deadline deadline(kPatience);
  while (!fs::exists(made_by_first)) ASSERT_FALSE(deadline.passed());
  const auto second = provide("second");
  EXPECT_EQ(list_directory(layout_.layers()), std::vector<std::string>{name + ".new"});
  write_file(go, "");
  EXPECT_EQ(ended(first), 0);
  EXPECT_EQ(ended(second), 0);
  EXPECT_FALSE(fs::exists(layout_.root() / "made-by-second"));
}

TEST_F(Layers, AreLockedAfterABuildSlotIsTaken) {
  // The other way round, two deployments could wait for each other: one for the slot, one for the layer.
  Journal journal(-1);
  const auto change = push_of(version(1));
  pushrod::Run deployment{platform(), change, journal, -1, {}, repository()};
  bool was_free = false;
  const auto prepare = [&] { was_free = FileLock::try_acquire(layout_.layer_lock("node-0f")).has_value(); };
  provide_layer(deployment, "node-0f", false, {prepare, [](const fs::path&) {}});
  EXPECT_TRUE(was_free);
}

TEST_F(Layers, OfADeploymentThatWasKilledAreMadeAnew) {
  make_directory(layout_.layers() / "node-0f.new/app");
  write_file(layout_.layers() / "node-0f.new/app/half", "");
  Journal journal(-1);
  const auto change = push_of(version(1));
  pushrod::Run deployment{platform(), change, journal, -1, {}, repository()};
  provide_layer(deployment, "node-0f", false,
                {[] {}, [](const fs::path& directory) { write_file(directory / "whole", ""); }});
  EXPECT_EQ(list_directory(layout_.layer("node-0f")), std::vector<std::string>{"whole"});
  EXPECT_THAT(layers(), ElementsAre("node-0f"));
}

}  // namespace
}  // namespace pushrod
