// A process table comes back from its JSON as it was, and nothing else is taken for one.
#include "model/process.hh"

#include <gtest/gtest.h>

#include <string>

#include "base/error.hh"

namespace pushrod {
namespace {

Process process(const std::string& type, const std::string& command) {
  return {.type = ProcessType::parse(type), .command = command, .health = {}};
}

TEST(ProcessTables, ComeBackFromJson) {
  Process web = process("web", "exec \"python3\" 'a b' $PORT \\ \n caf\xc3\xa9 \x01");
  web.health = {
      .path = "/up?x=\"1\"", .timeout = Milliseconds{1'500}, .settle = Milliseconds{0}, .watch = Milliseconds{45'000}};
  Process worker = process("worker", "");
  worker.count = 4294967295;
  worker.overlap = false;
  worker.stop_timeout = Milliseconds{0};
  worker.drain_timeout = Milliseconds{86'400'000};

  const ProcessTable read = processes_from_json(to_json({web, worker}));

  ASSERT_EQ(read.size(), 2u);
  EXPECT_EQ(read[0].type, web.type);
  EXPECT_EQ(read[0].command, web.command);
  EXPECT_EQ(read[0].count, 1u);
  EXPECT_TRUE(read[0].overlap);
  EXPECT_EQ(read[0].stop_timeout, Milliseconds{10'000});
  EXPECT_EQ(read[0].drain_timeout, Milliseconds{30'000});
  EXPECT_EQ(read[0].health.path, "/up?x=\"1\"");
  EXPECT_EQ(read[0].health.timeout, Milliseconds{1'500});
  EXPECT_EQ(read[0].health.settle, Milliseconds{0});
  EXPECT_EQ(read[0].health.watch, Milliseconds{45'000});
  EXPECT_EQ(read[1].type, worker.type);
  EXPECT_EQ(read[1].command, "");
  EXPECT_EQ(read[1].count, 4294967295u);
  EXPECT_FALSE(read[1].overlap);
  EXPECT_EQ(read[1].stop_timeout, Milliseconds{0});
  EXPECT_EQ(read[1].drain_timeout, Milliseconds{86'400'000});
  EXPECT_EQ(read[1].health.path, std::nullopt);
  EXPECT_EQ(read[1].health.timeout, Milliseconds{30'000});
  EXPECT_EQ(read[1].health.settle, std::nullopt);
}

TEST(ProcessTables, MayBeEmpty) { EXPECT_TRUE(processes_from_json(to_json(ProcessTable{})).empty()); }

// The form is on disk: a change of it needs a migration.
TEST(ProcessTables, HaveThisForm) {
  EXPECT_EQ(to_json({process("web", "x")}),
            R"([{"command":"x","count":1,"drain_timeout_ms":30000,"health":{"timeout_ms":30000},"overlap":true,)"
            R"("stop_timeout_ms":10000,"type":"web"}])");
}

TEST(ProcessTables, ThatCannotBeJsonAreErrors) { EXPECT_THROW(to_json({process("web", "\xff")}), Error); }

TEST(ProcessTables, AreNotReadFromAnythingElse) {
  const std::string good = to_json({process("web", "x")});
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    return text;
  };
  for (const std::string& text :
       {std::string(), std::string("{}"), std::string("null"), std::string("[1]"), std::string("[{}]"),
        good.substr(0, good.size() - 1), good + "x", with("\"count\":1", "\"count\":-1"),
        with("\"count\":1", "\"count\":1.5"), with("\"count\":1", "\"count\":4294967296"),
        with("\"count\":1", "\"count\":\"1\""), with("\"type\":\"web\"", "\"type\":\"We b\""),
        with("\"overlap\":true", "\"overlap\":1"), with("stop_timeout_ms\":10000", "stop_timeout_ms\":-1"),
        with("stop_timeout_ms\":10000", "stop_timeout_ms\":18446744073709551615"), with("overlap", "overlop"),
        good.substr(0, good.size() - 1) + "," + good.substr(1)}) {
    try {
      processes_from_json(text);
      ADD_FAILURE() << "accepted: " << text;
    } catch (const UserError& error) {
      ADD_FAILURE() << "blames the user: " << error.what();
    } catch (const Error& error) {
      EXPECT_EQ(error.message().find("the stored process table cannot be read: "), 0u) << error.message();
    }
  }
}

TEST(Processes, CalledWebAreRouted) {
  EXPECT_TRUE(process("web", "x").is_routed());
  EXPECT_FALSE(process("web2", "x").is_routed());
}

}  // namespace
}  // namespace pushrod
