// [services] in pushrod.toml.
#include <gmock/gmock.h>

#include "base/error.hh"
#include "config/app_manifest.hh"

namespace pushrod {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string refusal_of(const std::string& text) {
  try {
    parse_manifest(text, "pushrod.toml");
  } catch (const UserError& error) {
    return error.message() + " | " + error.hint();
  }
  return "(accepted)";
}

TEST(ServicesSection, ATypeIsEnough) {
  const auto manifest = parse_manifest("[services]\ndb = \"postgres\"\n", "pushrod.toml");
  ASSERT_EQ(manifest.services.size(), 1u);
  EXPECT_EQ(manifest.services.front(), (DeclaredService{.key = "db", .type = "postgres", .version = {}}));
}

TEST(ServicesSection, ATableSaysMore) {
  const auto manifest = parse_manifest(
      "[services]\ncache = { type = \"redis\", memory = \"64M\", disk = \"1G\", cpu = 0.5 }\n"
      "reports = { type = \"postgres\", version = \"15\", prefix = \"REPORTS\", tcp = true }\n",
      "pushrod.toml");
  EXPECT_THAT(
      manifest.services,
      ElementsAre(
          DeclaredService{
              .key = "cache", .type = "redis", .version = {}, .memory = 64u << 20, .disk = 1u << 30, .cpu_percent = 50},
          DeclaredService{
              .key = "reports", .type = "postgres", .version = "15", .memory = {}, .prefix = "REPORTS", .tcp = true}));
}

TEST(ServicesSection, WhatIsWrongIsRefusedWithItsLine) {
  EXPECT_THAT(refusal_of("[services]\nDB = \"postgres\"\n"), HasSubstr("pushrod.toml:2"));
  EXPECT_THAT(refusal_of("[services]\ndb = 5\n"), HasSubstr("pushrod.toml:2"));
  EXPECT_THAT(refusal_of("[services]\ndb = { memory = \"64M\" }\n"), HasSubstr("write type = \"postgres\""));
  EXPECT_THAT(refusal_of("[services]\ndb = { type = \"redis\", memroy = \"64M\" }\n"), HasSubstr("memory"));
  EXPECT_THAT(refusal_of("[services]\ndb = { type = \"redis\", prefix = \"A-B\" }\n"), HasSubstr("prefix"));
  EXPECT_THAT(refusal_of("[services]\ndb = { type = \"redis\", tcp = 1 }\n"), HasSubstr("tcp"));
  EXPECT_THAT(refusal_of("[services]\ndb = { type = \"redis\", disk = \"1k\" }\n"), HasSubstr("disk"));
  EXPECT_THAT(refusal_of("[services]\ndb = { type = \"redis\", cpu = 0 }\n"), HasSubstr("cpu"));
}

}  // namespace
}  // namespace pushrod
