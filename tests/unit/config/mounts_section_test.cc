// [mounts] in server.toml and in pushrod.toml.
#include <gmock/gmock.h>

#include "config/app_manifest.hh"
#include "config/settings_file.hh"
#include "fixtures.hh"

namespace pushrod {
namespace {

using testing::HasSubstr;

HostMounts mounts_of(const std::string& text) { return parse_manifest(text, "pushrod.toml").host_mounts; }
std::string app_refusal(const std::string& text) {
  return refusal([&] { parse_manifest("[mounts]\n" + text + "\n", "pushrod.toml"); });
}
std::string server_refusal(const std::string& text) {
  return refusal([&] { parse_settings(text, "server.toml"); });
}
std::string refusal_of_path(const std::string& path) {
  return server_refusal("[mounts.media]\napps = []\npath = \"" + path + "\"\n");
}

TEST(OfferedDirectories, AreReadOnlyUnlessTheySayOtherwise) {
  EXPECT_TRUE(parse_settings("", "server.toml").mounts.empty());
  const auto mounts = parse_settings(
                          "[mounts.media]\npath = \"/srv/media\"\napps = [\"shop\", \"blog\"]\nread_only = false\n"
                          "[mounts.maps]\npath = \"/srv/maps\"\napps = []\n",
                          "server.toml")
                          .mounts;
  ASSERT_EQ(mounts.size(), 2U);
  const auto& media = mounts.at(MountName::parse("media"));
  EXPECT_EQ(media.path, "/srv/media");
  EXPECT_FALSE(media.read_only);
  EXPECT_EQ(media.apps, (std::vector{AppName::parse("shop"), AppName::parse("blog")}));
  EXPECT_TRUE(mounts.at(MountName::parse("maps")).read_only);
}

TEST(OfferedDirectories, WhatIsWrongIsRefusedWithItsLine) {
  EXPECT_THAT(server_refusal("[mounts.media]\napps = []\n"), HasSubstr("server.toml:1: \"path\" in [mounts.media]"));
  EXPECT_THAT(server_refusal("[mounts.media]\npath = \"/srv/media\"\n"), HasSubstr("\"apps\" in [mounts.media]"));
  EXPECT_THAT(server_refusal("[mounts]\nmedia = \"/srv/media\"\n"), HasSubstr("server.toml:2"));
  EXPECT_THAT(server_refusal("[mounts.\"a/b\"]\npath = \"/srv\"\napps = []\n"), HasSubstr("name of a mount"));
  EXPECT_THAT(server_refusal("[mounts.media]\npath = \"/srv/media\"\napps = [\"*\"]\n"), HasSubstr("server.toml:3"));
  EXPECT_THAT(server_refusal("[mounts.media]\npath = \"/srv\"\napps = []\nreadonly = true\n"), HasSubstr("read_only"));
}

TEST(OfferedDirectories, PathsThatCannotBeMeantAreRefused) {
  for (const char* path : {"", "/", "srv", "~/media", "/srv/", "//srv", "/srv/../etc", "/srv/./x", "/srv/a\\nb"}) {
    EXPECT_THAT(refusal_of_path(path), HasSubstr("is not a path of a directory")) << path;
  }
  for (const char* path : {"/etc", "/etc/ssl", "/proc/1/root", "/run/user/1000", "/root/x", "/usr/share", "/dev/shm"}) {
    EXPECT_THAT(refusal_of_path(path), HasSubstr("a directory of the system")) << path;
  }
  for (const char* path : {"/home/me/.ssh", "/home/me/.config/x"}) {
    EXPECT_THAT(refusal_of_path(path), HasSubstr("has a hidden part")) << path;
  }
}

TEST(OfferedDirectories, NoneLiesInOneThatAppsMayWriteTo) {
  const auto two = [](const std::string& outer, const std::string& inner) {
    return "[mounts.inner]\napps = []\npath = \"/srv/media/x\"\n" + inner + "[mounts.outer]\napps = []\npath = \"" +
           outer + "\"\nread_only = false\n";
  };
  EXPECT_THAT(server_refusal(two("/srv/media", "")), HasSubstr("[mounts.inner] lies in [mounts.outer]"));
  EXPECT_THAT(server_refusal(two("/srv", "read_only = false\n")), HasSubstr("they could replace it"));
  const auto accepted = parse_settings(two("/srv/med", ""), "server.toml").mounts;
  EXPECT_EQ(accepted.size(), 2U);
  EXPECT_EQ(parse_settings(two("/srv/media/x", ""), "server.toml").mounts.size(), 2U) << "the same directory";
  EXPECT_EQ(parse_settings(two("/srv/media/x/y", "read_only = true\n"), "server.toml").mounts.size(), 2U);
}

TEST(HostMounts, AreSortedByTheirPlaces) {
  EXPECT_TRUE(mounts_of("").empty());
  EXPECT_EQ(mounts_of("[mounts]\n\"/srv/media\" = \"media\"\n\"/mnt\" = { name = \"maps\", read_only = true }\n"),
            (HostMounts{{"/mnt", MountName::parse("maps"), true}, {"/srv/media", MountName::parse("media")}}));
}

TEST(HostMounts, WhatIsWrongIsRefusedWithItsLine) {
  for (const char* path :
       {"/app/media", "/data/media", "/", "/srvx", "/etc", "/srv/../app", "/srv//x", "srv", "/tmp/x"}) {
    EXPECT_THAT(app_refusal("\"" + std::string(path) + "\" = \"media\""), HasSubstr("is not a place for a mount"))
        << path;
  }
  EXPECT_THAT(app_refusal("\"/app/media\" = \"media\""), HasSubstr("pushrod.toml:2"));
  EXPECT_THAT(app_refusal("\"/srv/a\" = \"m\"\n\"/srv/a/b\" = \"n\""), HasSubstr("pushrod.toml:3"));
  EXPECT_THAT(app_refusal("\"/srv/a/b\" = \"m\"\n\"/srv\" = \"n\""), HasSubstr("lie in each other"));
  EXPECT_THAT(app_refusal("\"/srv/a\" = \"M\""), HasSubstr("name of a mount"));
  EXPECT_THAT(app_refusal("\"/srv/a\" = 5"), HasSubstr("pushrod.toml:2"));
  EXPECT_THAT(app_refusal("\"/srv/a\" = { read_only = true }"), HasSubstr("\"name\""));
  EXPECT_THAT(app_refusal("\"/srv/a\" = { name = \"m\", readonly = true }"), HasSubstr("read_only"));
}

}  // namespace
}  // namespace pushrod
