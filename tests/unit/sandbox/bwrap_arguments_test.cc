// The walls as bubblewrap is told them. Golden: a change of the vector is to be seen as one.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "base/text.hh"
#include "sandbox/bwrap.hh"

namespace pushrod {
namespace {

HostRoot debian() {
  return {{{"/bin", "usr/bin"}, {"/sbin", "usr/sbin"}, {"/lib", "usr/lib"}, {"/lib64", "usr/lib64"}},
          {},
          {"alternatives", "ssl"},
          "/bin/bash"};
}

Sandbox blog() {
  Sandbox sandbox;
  sandbox.mounts = {{"/srv/pushrod/checkouts/blog/14/tree", "/app", false}, {"/srv/pushrod/data/blog", "/data", true}};
  sandbox.host_name = "blog";
  sandbox.environment = {{"PORT", "20001"}, {"LD_PRELOAD", "/app/x.so"}};
  sandbox.command = "python3 app.py --name '$(id)'";
  sandbox.etc = "/srv/pushrod/run/etc";
  sandbox.shim = "/usr/local/bin/pushrod-shim";
  return sandbox;
}

std::string golden(const std::string& name) {
  std::ifstream file(std::string(PUSHROD_GOLDEN_DIR) + "/" + name);
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

// One option and its values a line, for readers.
std::string shown(const std::vector<std::string>& arguments) {
  std::string text;
  bool command = false;
  for (const std::string& argument : arguments) {
    if (!text.empty()) text += !command && argument.starts_with("--") ? "\n" : " ";
    text += argument;
    command = command || argument == "--";
  }
  return text + "\n";
}

TEST(BwrapArguments, OfABuildOrReleaseCommandAreTheGoldenOnes) {
  EXPECT_EQ(shown(bwrap_arguments(blog(), ShimRole::Run, debian())), golden("child.txt"));
}

TEST(BwrapArguments, OfAnInstanceAreTheGoldenOnes) {
  Sandbox instance = blog();
  instance.ports = {20007};
  EXPECT_EQ(shown(bwrap_arguments(instance, ShimRole::Init, debian())), golden("instance.txt"));
}

TEST(ReleaseMountsOfASandbox, AreThoseThatItMayUse) {
  const Checkout checkout{"/srv/pushrod/releases/blog/14"};
  const ReleaseMounts mounts{{"venv", "/venv"},
                             {"cargo", "/cargo", Access::Write, Access::None},
                             {"spool", "/spool", Access::None, Access::Write}};
  const auto mounted = [&](Access ReleaseMount::*access) {
    Sandbox sandbox;
    add_mounts(sandbox, Layout("/srv/pushrod"), checkout, mounts, access);
    std::string text;
    for (const auto& mount : sandbox.mounts) {
      text += mount.from.native() + " " + mount.to + (mount.writable ? " rw\n" : " ro\n");
    }
    return text;
  };
  EXPECT_EQ(mounted(&ReleaseMount::building),
            "/srv/pushrod/releases/blog/14/venv /venv rw\n/srv/pushrod/releases/blog/14/cargo /cargo rw\n");
  EXPECT_EQ(mounted(&ReleaseMount::running),
            "/srv/pushrod/releases/blog/14/venv /venv ro\n/srv/pushrod/releases/blog/14/spool /spool rw\n");
}

TEST(BwrapArguments, LeaveWhatIsMountedBelowAppToTheShim) {
  Sandbox instance = blog();
  instance.layers = {{"/srv/pushrod/layers/node-1/app/node_modules", "/app/node_modules"},
                     {"/srv/pushrod/layers/node-1/app/a/node_modules", "/app/a/node_modules", "/srv/changes"}};
  instance.writable = {"a", "node_modules/.cache", "tmp"};
  const auto text = shown(bwrap_arguments(instance, ShimRole::Init, debian()));
  EXPECT_NE(text.find("--ro-bind /srv/pushrod/layers/node-1/app/node_modules /.layers/0\n"
                      "--ro-bind /srv/pushrod/layers/node-1/app/a/node_modules /.layers/1\n"
                      "--bind /srv/changes /.layers/1.changes\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find(" writable=a writable=tmp layer=/app/node_modules changes=/app/a/node_modules"
                      " writable=a/node_modules writable=node_modules/.cache "),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("--cap-add ALL"), std::string::npos);
  for (const auto& word : bwrap_arguments(instance, ShimRole::Init, debian())) {
    EXPECT_FALSE(word.starts_with("/app/")) << "bwrap would follow symlinks of the app: " << word;
  }
}

TEST(BwrapArguments, NameWritableDirectoriesToTheShimAndLendItCapabilities) {
  Sandbox instance = blog();
  instance.writable = {"tmp", "a b"};
  const auto arguments = bwrap_arguments(instance, ShimRole::Init, debian());
  const auto text = join(arguments, " ");
  EXPECT_NE(text.find("--cap-drop ALL --cap-add ALL "), std::string::npos) << text;
  EXPECT_NE(text.find("/.pushrod-shim init inotify=64 writable=tmp writable=a b "), std::string::npos) << text;
}

TEST(BwrapArguments, MountDirectoriesOfAHostWithoutMergedUsr) {
  HostRoot old;
  old.directories = {"/bin", "/lib"};
  const std::string text = shown(bwrap_arguments(blog(), ShimRole::Run, old));
  EXPECT_NE(text.find("--ro-bind /bin /bin\n"), std::string::npos) << text;
  EXPECT_EQ(text.find("--symlink usr/bin"), std::string::npos) << text;
}

TEST(BwrapArguments, NameEveryPortToTheShim) {
  Sandbox instance = blog();
  instance.ports = {20007, 20008};
  const std::string text = shown(bwrap_arguments(instance, ShimRole::Init, debian()));
  EXPECT_NE(text.find("init inotify=64 port=20007 port=20008 "), std::string::npos) << text;
}

TEST(BwrapArguments, NameTheShellThatTheHostHas) {
  auto host = debian();
  host.shell = "/bin/sh";
  const std::string text = shown(bwrap_arguments(blog(), ShimRole::Run, host));
  EXPECT_NE(text.find("-- /bin/sh -c python3"), std::string::npos) << text;
}

TEST(BwrapArguments, OfAJobHaveItsWordsAsTheyAre) {
  Sandbox job = blog();
  job.argv = {"echo", "a  b", "", "$x; 'y'"};
  const auto arguments = bwrap_arguments(job, ShimRole::Init, debian());
  const std::vector<std::string> end(arguments.end() - 5, arguments.end());
  EXPECT_EQ(end, (std::vector<std::string>{"--", "echo", "a  b", "", "$x; 'y'"}));
}

TEST(BwrapArguments, HoldNoVariable) {
  const std::string text = join(bwrap_arguments(blog(), ShimRole::Init, debian()), "\n");
  EXPECT_EQ(text.find("20001"), std::string::npos);
  EXPECT_EQ(text.find("LD_PRELOAD"), std::string::npos);
}

TEST(BwrapEnvironment, MeansNothingToBwrap) {
  EXPECT_EQ(bwrap_environment(blog()), (Environment{{"+PORT", "20001"}, {"+LD_PRELOAD", "/app/x.so"}}));
}

}  // namespace
}  // namespace pushrod
