// Nesting bombs: refused before a parser builds, or a destructor unbuilds, what they describe.
#define TOML_HEADER_ONLY 0  // as the room itself is built
#include "config/toml_nesting.hh"

#include <gtest/gtest.h>
#include <toml++/toml.h>

#include <algorithm>
#include <random>

#include "config/app_manifest.hh"
#include "fixtures.hh"

namespace pushrod {
namespace {

std::string repeated(const std::string& text, std::size_t times) {
  std::string result;
  for (std::size_t i = 0; i < times; ++i) result += text;
  return result;
}

// The smallest limit that lets the text through.
std::size_t depth_of(const std::string& text) {
  std::size_t depth = 0;
  while (line_nested_deeper(text, depth)) ++depth;
  return depth;
}

// What toml++ made of it: levels below the root.
std::size_t real_depth(const toml::node& node) {
  std::size_t deepest = 0;
  if (const auto* table = node.as_table()) {
    for (const auto& [key, value] : *table) deepest = std::max(deepest, 1 + real_depth(value));
  } else if (const auto* array = node.as_array()) {
    for (const toml::node& value : *array) deepest = std::max(deepest, 1 + real_depth(value));
  }
  return deepest;
}

TEST(TomlNesting, CountsKeysTablesAndArrays) {
  EXPECT_EQ(depth_of("a = 1"), 1U);
  EXPECT_EQ(depth_of("a.b.c = 1.5"), 3U);
  EXPECT_EQ(depth_of("[a.b]\nc.d = 1"), 4U);
  EXPECT_EQ(depth_of("[[a]]\nb = 1"), 3U);
  EXPECT_EQ(depth_of("a = { b = { c.d = 1 }, e = 2 }"), 4U);
  EXPECT_EQ(depth_of("a = [1.5, 2.5, [3.5]]"), 3U);
  EXPECT_EQ(depth_of("a = [{ b = 1 }, { b = 2 }]"), 3U);
}

TEST(TomlNesting, StringsAndCommentsDoNotCount) {
  EXPECT_EQ(depth_of(R"(a = "x.y.z [[[ {{{ \" [" # [[[ a.b.c)"), 1U);
  EXPECT_EQ(depth_of("a = 'x\\' # [[["), 1U);
  EXPECT_EQ(depth_of("a = \"\"\"\n[x.y.z]\n\\\"\"\" \"\" [[\"\"\"\"\"\nb = 1"), 1U);
  EXPECT_EQ(depth_of("a = '''\n[x.y.z]\n'' [['''''\nb = 1"), 1U);
  EXPECT_EQ(depth_of(R"(a = { b = """x"""", c.d.e = 1 })"), 4U);  // the string ends in a quote of its own
  EXPECT_EQ(depth_of("\"a.b\".'c.d' = 1"), 2U);
  EXPECT_EQ(depth_of("[\"a.b\"]"), 1U);
}

TEST(TomlNesting, NamesTheLine) {
  EXPECT_EQ(line_nested_deeper("a = 1\nb = \"\"\"\n\n\"\"\"\nc = [[[1]]]\n", 3), 5U);
  EXPECT_EQ(line_nested_deeper("a = 1\n[a.b.c.d]\n", 3), 2U);
}

TEST(TomlNesting, BombsAreRefusedWithTheirLine) {
  const std::size_t deep = 10'000;
  const std::string bombs[] = {
      "a = " + repeated("[", deep) + repeated("]", deep),
      "a = " + repeated("{a = ", deep) + "1" + repeated("}", deep),
      "a" + repeated(".a", deep) + " = 1",
      "[a" + repeated(".a", 130'000) + "]",  // fits into the 256 kB; the destructors would overflow the stack
      "[[a" + repeated(".a", deep) + "]]",
      "a = " + repeated("[{a.a.a = ", deep),
  };
  for (const std::string& bomb : bombs) {
    EXPECT_EQ(refusal([&] { parse_manifest("# x\n" + bomb, "pushrod.toml"); }),
              "pushrod.toml:2: nested deeper than 32 levels")
        << bomb.substr(0, 20);
  }
}

// Whatever toml++ accepts, it must not be deeper than was said: else the scanner took something for a string.
TEST(TomlNesting, NothingIsDeeperThanWasSaid) {
  const std::vector<std::string> pieces = {
      // Whole phrases, so that enough of the texts are TOML; their keys differ, or they would be refused as duplicates.
      "\n[a.b.c]\n", "\n[[d.e]]\n", "\nf.g = 1\n", "h = { i.j = 1.5, k = [1.5] }\n", "l = [{ m = 1 }, { m.n = 2 }]\n",
      "o = \"\"\"x\\\"\"\"\"\"\n", "p = '''[[''''\n", "q = \"\\\\\" # [[\n", "r = '\\'\n",
      "\"s.t\".'u' = [\n[1],\n[2.5]]\n", "v.w = {}\n", "x = \"\\\"[[\"\n",
      // And their parts.
      "a", ".", " = ", "1", "[", "]", "{", "}", ", ", "\"", "'", "\\", "\n", "#", "\"\"\"", "'''", "y = ", "z.z = "};
  std::mt19937 random(1);
  const auto below = [&](std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
  };
  std::size_t accepted = 0;
  std::size_t deepest = 0;
  constexpr std::size_t kPhrases = 12;
  for (int round = 0; round < 30'000; ++round) {
    std::string text;
    const std::size_t count = 1 + below(10);
    for (std::size_t i = 0; i < count; ++i) text += pieces[below(below(4) == 0 ? pieces.size() : kPhrases)];
    toml::table table;
    try {
      table = toml::parse(text);
    } catch (const toml::parse_error&) {
      continue;
    }
    ++accepted;
    const std::size_t real = real_depth(table);
    deepest = std::max(deepest, real);
    ASSERT_LE(real, depth_of(text)) << text;
  }
  EXPECT_GT(accepted, 1'000U);
  EXPECT_GE(deepest, 6U);
}

TEST(TomlProblem, IsAHeaderWithoutAName) {
  for (const auto* text :
       {"[,", "[.", "[ ,", "[=", "[\n", "[#", "[[,", "[[\n", "[[[", "[[ [", "a = 1\n[[=]]", "[}", "[{"}) {
    EXPECT_TRUE(problem_of_toml(text)) << text;
    EXPECT_THROW(parse_manifest(text, "pushrod.toml"), UserError) << text;
  }
  EXPECT_EQ(problem_of_toml("a = [\n1,\n]\n\n[,]")->line, 5U);
}

TEST(TomlProblem, IsACharacterOutsideOfAsciiWithoutQuotes) {
  for (const auto* text :
       {"ä = 1", "a.ä = 1", "aä = 1", "[ä]", "[a.ä]", "a = ä", "a = [1, ä]", "a = { ä = 1 }", "a = 1ä"}) {
    EXPECT_TRUE(problem_of_toml(text)) << text;
    EXPECT_THROW(parse_manifest(text, "pushrod.toml"), UserError) << text;
  }
}

TEST(TomlProblem, IsNothingThatTomlAllows) {
  for (const auto* text : {"", "[a]", "[ a ]", "[[a]]", "[[ a ]]", "[\"ä\"]", "['ä'.b]", "[-]", "[_.1]", "a = [,]",
                           "a = [\n# ä\n[1], [[2]]]", "a = \"ä\" # ö\n\"ü\" = '''\n[,\n'''\n[b]",
                           "a = { b = [1] }\n[c]", "[a]\n[b] # x\n[[c]]\r\n[d]", "[]", "[ [a]]"}) {
    EXPECT_FALSE(problem_of_toml(text)) << text;
  }
}

}  // namespace
}  // namespace pushrod
