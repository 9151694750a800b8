// Procfile: its lines, and what a wrong one is told.
#include <gtest/gtest.h>

#include "config/app_manifest.hh"
#include "fixtures.hh"

namespace pushrod {
namespace {

// "type=command" of each process, in order.
std::string processes_of(const std::string& text) {
  std::string result;
  for (const Process& process : parse_procfile(text, "Procfile")) {
    result += process.type.str() + "=" + process.command + ";";
  }
  return result;
}
std::string problem_of(const std::string& text) {
  return refusal([&] { parse_procfile(text, "Procfile"); });
}

TEST(Procfile, ReadsLinesSortedByType) {
  EXPECT_EQ(processes_of("worker: python3 jobs.py\nweb: python3 app.py --port $PORT\n"),
            "web=python3 app.py --port $PORT;worker=python3 jobs.py;");
  EXPECT_EQ(processes_of(""), "");
}

TEST(Procfile, SkipsCommentsAndBlankLines) {
  EXPECT_EQ(processes_of("# a\n\n  \t\n  # b: c\nweb: x # not a comment\n#"), "web=x # not a comment;");
}

TEST(Procfile, SpacesAroundACommandAndCrlfDoNotCount) {
  EXPECT_EQ(processes_of("web:x\r\nworker:  \t y  z \r\n\r\n"), "web=x;worker=y  z;");
}

TEST(Procfile, ACommandMayContainColonsAndQuotes) {
  EXPECT_EQ(processes_of("web: a:b \"c: d\"\n"), "web=a:b \"c: d\";");
}

TEST(Procfile, EachProcessHasTheDefaults) {
  const Process process = parse_procfile("web: x\n", "Procfile").front();
  EXPECT_EQ(process.count, 1U);
  EXPECT_TRUE(process.overlap);
  EXPECT_EQ(process.health.path, std::nullopt);
}

TEST(Procfile, AWrongFileIsRefusedWithFileLineAndReason) {
  const std::string type_rule = ": use 1 to 30 characters of a-z, 0-9, '-' and '_', beginning with a letter";
  EXPECT_EQ(problem_of("# x\nweb python3 app.py\n"),
            "Procfile:2: expected \"name: command\", not \"web python3 app.py\" | for example: web: python3 "
            "app.py");
  EXPECT_EQ(problem_of("web: a\n\nweb: a\n"), "Procfile:3: process type \"web\" is already defined on line 1");
  EXPECT_EQ(problem_of("web:  \n"), "Procfile:1: the command of \"web\" is empty");
  EXPECT_EQ(problem_of("Web: x\n"), "Procfile:1: process type \"Web\" contains \"W\"" + type_rule);
  EXPECT_EQ(problem_of(" web: x\n"), "Procfile:1: process type \" web\" contains \" \"" + type_rule);
  EXPECT_EQ(problem_of(": x\n"), "Procfile:1: process type \"\" is empty" + type_rule);
  EXPECT_EQ(problem_of("../x: y\n"), "Procfile:1: process type \"../x\" contains \".\"" + type_rule);
  EXPECT_EQ(problem_of(std::string("web: a\0b\n", 9)),
            "Procfile:1: contains a NUL byte | remove it: the file must be text in UTF-8");
  EXPECT_EQ(problem_of("web: a\rb\n"), "Procfile:1: the command of \"web\" contains a control character: \"a\\rb\"");
  EXPECT_EQ(problem_of("web: \x1b[2J\n"),
            "Procfile:1: the command of \"web\" contains a control character: \"\\x1b[2J\"");
  EXPECT_EQ(problem_of("web: a\nworker: \xc3\n"), "Procfile:2: not valid UTF-8 | save the file as UTF-8");
  EXPECT_EQ(problem_of("web: " + std::string(32'769, 'x')),
            "Procfile:1: the command of \"web\" is 32.8 kB long, and the limit is 32.8 kB | put it in a script in "
            "the repo, and call the script");
}

TEST(Procfile, AnAppHasAtMostFiftyTypes) {
  std::string text;
  for (int i = 0; i < 50; ++i) text += "t" + std::to_string(i) + ": x\n";
  EXPECT_EQ(problem_of(text), "(nothing thrown)");
  EXPECT_EQ(problem_of(text + "web: x\n"), "Procfile:51: more than 50 process types");
}

}  // namespace
}  // namespace pushrod
