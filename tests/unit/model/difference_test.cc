// What differs between two releases.
#include "model/difference.hh"

#include <gmock/gmock.h>

namespace pushrod {
namespace {

Process process(const std::string& type, std::uint32_t count, const std::string& command) {
  return {.type = ProcessType::parse(type), .command = command, .count = count, .health = {}};
}

Release release(char commit, const std::string& builder, ProcessTable processes, AppSettings settings = {}) {
  return {.app_id = 1,
          .app = AppName::parse("blog"),
          .number = 1,
          .commit = CommitId::parse(std::string(40, commit)),
          .checkout = 1,
          .builder = builder,
          .processes = std::move(processes),
          .environment = {},
          .settings = std::move(settings),
          .created = {},
          .source = {RepoName::parse("site"), BranchName::parse("main")}};
}

std::vector<std::string> told(const Release& before, const Release& after) {
  std::vector<std::string> lines;
  for (const auto& [what, from, to] : differences(before, after)) lines.push_back(what + ": " + from + "|" + to);
  return lines;
}

TEST(Difference, SameReleasesHaveNone) {
  const auto one = release('a', "python", {process("web", 1, "serve")});
  EXPECT_THAT(told(one, one), testing::IsEmpty());
}

TEST(Difference, TellsCommitBuilderAndProcesses) {
  const auto before = release('a', "python", {process("clock", 1, "tick"), process("web", 1, "serve")});
  const auto after = release('b', "node", {process("web", 3, "serve --all"), process("worker", 2, "work")});
  EXPECT_THAT(told(before, after), testing::ElementsAre("commit: aaaaaaaaaa|bbbbbbbbbb", "builder: python|node",
                                                        "process web: 1|3", "process web command: serve|serve --all",
                                                        "process worker: |new, 2 running", "process clock: |gone"));
}

TEST(Difference, TellsWhereTheCodeComesFrom) {
  const auto before = release('a', "none", {});
  auto after = before;
  after.source = {RepoName::parse("site"), BranchName::parse("next"), "apps/web", "web.toml", ""};
  EXPECT_THAT(told(before, after),
              testing::ElementsAre("branch: main|next", "path: .|apps/web", "manifest: pushrod.toml|web.toml"));
  after.source.build_root = "apps";
  EXPECT_THAT(told(before, after), testing::Contains("build root: .|apps"));
}

TEST(Difference, TellsMountsOfTheMachine) {
  const auto media = MountName::parse("media"), maps = MountName::parse("maps");
  auto before = release('a', "none", {});
  auto after = before;
  before.host_mounts = {{"/mnt/maps", maps}, {"/srv/media", media}};
  after.host_mounts = {{"/srv/media", media, true}, {"/srv/other", maps}};
  EXPECT_THAT(told(before, after), testing::ElementsAre("mount /srv/media: media|media, read-only",
                                                        "mount /srv/other: |maps", "mount /mnt/maps: maps|gone"));
}

TEST(Difference, TellsSettingsByNameAlone) {
  const auto a = SettingName::parse("A"), b = SettingName::parse("B"), c = SettingName::parse("C");
  const auto before = release('a', "none", {}, {{a, {"1", false}}, {b, {"2", true}}});
  const auto after = release('a', "none", {}, {{b, {"3", true}}, {c, {"4", false}}});
  EXPECT_THAT(told(before, after), testing::ElementsAre("setting B: |changed", "setting C: |set", "setting A: |unset"));
}

}  // namespace
}  // namespace pushrod
