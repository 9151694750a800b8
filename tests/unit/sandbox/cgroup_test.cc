// Groups in a directory that looks like a subtree of cgroups: what is written where, and what is read out of it.
#include "sandbox/cgroup.hh"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/text.hh"
#include "os/files.hh"

namespace pushrod {
namespace {

class CgroupFiles : public testing::Test {
 protected:
  CgroupFiles() {
    std::string pattern = (fs::temp_directory_path() / "cgroup-test.XXXXXX").native();
    subtree_ = mkdtemp(pattern.data());
    write("cgroup.controllers", "cpuset cpu io memory pids\n");
    write("cgroup.subtree_control", "");
    write("cgroup.procs", std::to_string(getpid()) + "\n");
  }
  ~CgroupFiles() override { remove_tree(subtree_); }

  void write(const fs::path& file, const std::string& text) const {
    fs::create_directories((subtree_ / file).parent_path());
    write_file(subtree_ / file, text, 0600, false);
  }
  std::string text(const fs::path& file) const { return read_file(subtree_ / file).value_or("(absent)"); }
  // The kernel makes these with the directory.
  void make_files_of(const std::string& group) const {
    for (const char* file :
         {"memory.max", "memory.swap.max", "memory.oom.group", "cpu.max", "pids.max", "cgroup.procs"}) {
      write(fs::path(group) / file, "");
    }
  }

  fs::path subtree_;
};

std::string shown(const Limits& limits) {
  std::string text;
  for (const auto& [file, value] : cgroup_settings(limits)) text += file + ": " + value + "\n";
  return text;
}

TEST(CgroupSettings, SayEveryLimit) {
  EXPECT_EQ(shown({256U << 20, 50, 64, 1024}),
            "memory.max: 268435456\nmemory.swap.max: 0\nmemory.oom.group: 1\ncpu.max: 50000 100000\npids.max: 68\n");
  EXPECT_EQ(shown({{}, 250, {}, {}}),
            "memory.max: max\nmemory.swap.max: max\nmemory.oom.group: 1\ncpu.max: 250000 100000\npids.max: max\n");
}

TEST(CgroupSettings, TakeBackLimitsThatAreNoMore) {
  EXPECT_EQ(shown({}),
            "memory.max: max\nmemory.swap.max: max\nmemory.oom.group: 1\ncpu.max: max 100000\npids.max: max\n");
}

TEST_F(CgroupFiles, SubtreeIsTakenWithALeafForPushrodItself) {
  write("pushrod/cgroup.procs", "");
  const auto cgroups = Cgroups::take(subtree_);
  ASSERT_TRUE(cgroups);
  EXPECT_EQ(text("pushrod/cgroup.procs"), "0");
  EXPECT_EQ(text("cgroup.subtree_control").substr(0, 4), "+cpu") << "after memory and pids, and by itself";
}

TEST_F(CgroupFiles, SubtreeWithoutTheControllersIsNotTaken) {
  write("cgroup.controllers", "cpu pids\n");
  EXPECT_FALSE(Cgroups::take(subtree_));
  EXPECT_FALSE(fs::exists(subtree_ / "pushrod"));
}

TEST_F(CgroupFiles, SubtreeWithOtherProcessesIsNotTaken) {
  write("cgroup.procs", std::to_string(getpid()) + "\n1\n");
  EXPECT_FALSE(Cgroups::take(subtree_));
}

TEST_F(CgroupFiles, SubtreeOfAnotherServiceIsNotTaken) {
  EXPECT_FALSE(Cgroups::take({}));
  EXPECT_FALSE(Cgroups::take(subtree_ / "nowhere"));
}

TEST_F(CgroupFiles, SubtreeIsFoundAgainByItsRecord) {
  EXPECT_FALSE(Cgroups::recorded(subtree_ / "record"));
  Cgroups(subtree_ / "gone").record(subtree_ / "record");
  EXPECT_FALSE(Cgroups::recorded(subtree_ / "record"));
  Cgroups(subtree_).record(subtree_ / "record");
  EXPECT_EQ(Cgroups::recorded(subtree_ / "record")->subtree(), subtree_);
}

TEST_F(CgroupFiles, GroupIsMadeWithItsLimits) {
  make_files_of("app.blog.1.web.1");
  EXPECT_EQ(Cgroups(subtree_).make("app.blog.1.web.1", {256U << 20, 50, 64, {}}), subtree_ / "app.blog.1.web.1");
  EXPECT_EQ(text("app.blog.1.web.1/memory.max"), "268435456");
  EXPECT_EQ(text("app.blog.1.web.1/memory.oom.group"), "1");
  EXPECT_EQ(text("app.blog.1.web.1/cpu.max"), "50000 100000");
  EXPECT_EQ(text("app.blog.1.web.1/pids.max"), "68");
}

TEST_F(CgroupFiles, GroupThatCannotBeMadeIsDoneWithout) {
  EXPECT_EQ(Cgroups(subtree_ / "nowhere").make("app.blog.1.web.1", {}), std::nullopt);
}

TEST_F(CgroupFiles, GroupIsRemoved) {
  const Cgroups cgroups(subtree_);
  make_directory(subtree_ / "app.blog.1.web.1");
  EXPECT_TRUE(cgroups.remove("app.blog.1.web.1"));
  EXPECT_FALSE(fs::exists(subtree_ / "app.blog.1.web.1"));
  EXPECT_TRUE(cgroups.remove("app.blog.1.web.1")) << "again";
}

TEST_F(CgroupFiles, GroupWithProcessesIsKilled) {
  make_files_of("app.blog.1.web.1");
  write("app.blog.1.web.1/cgroup.kill", "");
  EXPECT_FALSE(Cgroups(subtree_).remove("app.blog.1.web.1"));
  EXPECT_EQ(text("app.blog.1.web.1/cgroup.kill"), "1");
}

TEST_F(CgroupFiles, OnlyGroupsOfOneKindAreRemovedTogether) {
  for (const char* group : {"app.a.1.web.1", "app.b.1.web.1", "build.1.1", "pushrod"}) make_directory(subtree_ / group);
  Cgroups(subtree_).remove_all("app.");
  EXPECT_FALSE(fs::exists(subtree_ / "app.a.1.web.1") || fs::exists(subtree_ / "app.b.1.web.1"));
  EXPECT_TRUE(fs::exists(subtree_ / "build.1.1") && fs::exists(subtree_ / "pushrod"));
}

TEST_F(CgroupFiles, TellWhatAGroupUses) {
  write("app.blog.1.web.1/memory.current", "12345678\n");
  write("app.blog.1.web.1/cpu.stat", "usage_usec 2500000\nuser_usec 2000000\n");
  write("app.blog.1.web.1/pids.current", "7\n");
  const auto usage = Cgroups(subtree_).usage("app.blog.1.web.1");
  ASSERT_TRUE(usage);
  EXPECT_EQ(usage->memory, 12'345'678U);
  EXPECT_EQ(usage->processor, Milliseconds{2500});
  EXPECT_EQ(usage->processes, 7U);
  EXPECT_FALSE(Cgroups(subtree_).usage("app.blog.1.web.2"));
}

TEST_F(CgroupFiles, TellWhetherMemoryRanOut) {
  const Cgroups cgroups(subtree_);
  EXPECT_FALSE(cgroups.ran_out_of_memory("app.blog.1.web.1"));
  write("app.blog.1.web.1/memory.events", "low 0\nhigh 0\nmax 12\noom 3\noom_kill 0\noom_group_kill 0\n");
  EXPECT_FALSE(cgroups.ran_out_of_memory("app.blog.1.web.1"));
  write("app.blog.1.web.1/memory.events", "low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 1\n");
  EXPECT_TRUE(cgroups.ran_out_of_memory("app.blog.1.web.1"));
}

}  // namespace
}  // namespace pushrod
