// What a deployment tells: headings, times, silent steps, a program's output made harmless, logs, and a client that
// goes away.
#include "deploy/journal.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "../eventually.hh"
#include "base/text.hh"
#include "os/files.hh"

namespace pushrod {
namespace {

using testing::AnyOf;
using testing::Contains;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

class JournalTest : public testing::Test {
 protected:
  JournalTest() {
    std::string name = fs::temp_directory_path() / "pushrod-journal-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) std::abort();
    directory_ = name;
    client_ = open_file(directory_ / "client", O_RDWR | O_CREAT | O_APPEND);
  }
  ~JournalTest() override { remove_tree(directory_); }
  // What has been said since it was asked last.
  std::string said() {
    const auto text = read_file(directory_ / "client").value();
    return text.substr(std::exchange(seen_, text.size()));
  }
  fs::path directory_;
  UniqueFd client_;
  std::size_t seen_ = 0;
};

TEST_F(JournalTest, AStepShowsItsHeadingAtOnceAndItsTimeAtItsEnd) {
  Journal journal(client_.get());
  journal.begin("Checking out");
  EXPECT_EQ(said(), "-----> Checking out\n");
  journal.end();
  EXPECT_THAT(said(), MatchesRegex("       done in [0-9.]+ s\n"));
  journal.end();
  EXPECT_EQ(said(), "");
}

TEST_F(JournalTest, OutputComesBetweenTheHeadingAndTheTime) {
  Journal journal(client_.get());
  journal.begin("Building");
  journal.output("one\ntwo\nthr");
  EXPECT_EQ(said(), "-----> Building\n       one\n       two\n");
  journal.output("ee\nfour");
  EXPECT_EQ(said(), "       three\n");
  journal.end();
  EXPECT_THAT(said(), MatchesRegex("       four\n       done in [0-9.]+ s\n"));
}

TEST_F(JournalTest, AFailedStepHasNoTime) {
  Journal journal(client_.get());
  journal.begin("Starting web.1");
  journal.abandon();
  journal.complaint("blog.2.web.1 ended");
  EXPECT_EQ(said(), "-----> Starting web.1\n !     blog.2.web.1 ended\n");
  journal.end();
  EXPECT_EQ(said(), "");
}

TEST_F(JournalTest, TheNextStepAndAHeadlineEndTheStep) {
  Journal journal(client_.get());
  journal.begin("One");
  journal.begin("Two");
  EXPECT_THAT(said(), MatchesRegex("-----> One\n       done in [0-9.]+ s\n-----> Two\n"));
  journal.headline("Release 1 of blog is live");
  EXPECT_THAT(said(), MatchesRegex("       done in [0-9.]+ s\n-----> Release 1 of blog is live\n"));
}

TEST_F(JournalTest, AWordInBetweenComesAfterUnfinishedOutput) {
  Journal journal(client_.get());
  journal.begin("Building");
  journal.line("waiting for a build slot: 2 builds at a time");
  EXPECT_EQ(said(), "-----> Building\n       waiting for a build slot: 2 builds at a time\n");
  journal.output("half");
  journal.complaint("it failed");
  EXPECT_EQ(said(), "       half\n !     it failed\n");
}

class SilentStepTest : public JournalTest {
 protected:
  // Waits until so much has been said since it was asked last.
  std::string heard(std::size_t lines) {
    std::string text;
    EXPECT_TRUE(eventually([&] {
      text += said();
      return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) >= lines;
    })) << text;
    return text;
  }
};

TEST_F(SilentStepTest, SaysThatItStillRunsAndWhatItWaitsFor) {
  Journal journal(client_.get(), false, {Milliseconds{5'000}, Milliseconds{20}});
  journal.hide(Secret("hunter22"));
  journal.begin("Building (npm ci)", "building", [] { return std::string("npm ci --token hunter22 \x1b[2J"); });
  EXPECT_THAT(heard(3), MatchesRegex("-----> Building .npm ci.\n"
                                     "(       still building .[0-9.]+ s.: npm ci --token .redacted. \n)+"));
  journal.now_doing("waiting for web.1 to accept connections on port 21034");
  EXPECT_THAT(heard(2), HasSubstr("       still waiting for web.1 to accept connections on port 21034 (0."));
  journal.end();
  static_cast<void>(said());
}

TEST_F(SilentStepTest, IsSilentWithoutAStepAndAfterItsEnd) {
  Journal journal(client_.get(), false, {Milliseconds{5'000}, Milliseconds{10}});
  journal.now_doing("nothing");
  journal.begin("One", "doing one");
  heard(2);
  journal.end();
  static_cast<void>(said());
  journal.begin("Two");
  static_cast<void>(said());
  // A later heartbeat of another journal tells that the time for one of this has passed.
  UniqueFd other = open_file(directory_ / "other", O_RDWR | O_CREAT | O_APPEND);
  Journal later(other.get(), false, {Milliseconds{5'000}, Milliseconds{30}});
  later.begin("Later", "going on");
  EXPECT_TRUE(eventually([&] { return read_file(directory_ / "other")->find("still going on") != std::string::npos; }));
  EXPECT_EQ(said(), "") << "a step that does not say what it does";
}

TEST_F(SilentStepTest, OutputPutsTheNextWordOff) {
  Journal journal(client_.get(), false, {Milliseconds{5'000}, Milliseconds{200}});
  journal.begin("Building", "building");
  const Stopwatch time;
  while (time.elapsed() < Milliseconds{500}) journal.output("compiling\n");
  EXPECT_THAT(said(), Not(HasSubstr("still building")));
}

TEST_F(JournalTest, EvidenceGoesIntoTheLogWholeAndToTheClientAsAnExcerpt) {
  Journal journal(client_.get());
  journal.open_log(directory_ / "log");
  journal.hide(Secret("hunter22"));
  std::vector<std::string> lines;
  for (int number = 1; number <= 100; ++number) lines.push_back(fmt::format("line {}", number));
  lines[9] = "Error: password hunter22 is wrong";
  EXPECT_TRUE(journal.evidence(lines));
  const auto shown = lines_of(said());
  EXPECT_THAT(shown, Contains("       Error: password [redacted] is wrong"));
  EXPECT_THAT(shown, Contains("       line 61"));
  EXPECT_THAT(shown, Not(Contains("       line 60")));
  EXPECT_EQ(lines_of(read_file(directory_ / "log").value()).size(), 100);
  EXPECT_THAT(read_file(directory_ / "log").value(), Not(HasSubstr("hunter22")));
  EXPECT_FALSE(journal.evidence({}));
}

TEST_F(JournalTest, NoWayOfPrintingASecretGetsItIntoTheLogOrToTheClient) {
  Journal journal(client_.get(), false, {Milliseconds{5'000}, Milliseconds{20}});
  journal.open_log(directory_ / "log");
  journal.hide(Secret("hunter22"));
  journal.begin("Building", "building");
  journal.output("\x1b[31mhunt\x1b[0mer22 hunx\bter22 Basic YTpodW50ZXIyMg==\n");
  journal.output(std::string(1'996, 'x') + "hunt");
  journal.output("er22\nit is hunt");
  // The step is silent, so that what is there of the line is shown.
  EXPECT_TRUE(eventually([&] { return read_file(directory_ / "client")->find("it is") != std::string::npos; }));
  journal.output("er22\n");
  journal.end();
  journal.evidence({"h\x1b[1munter22"});
  EXPECT_EQ(journal.redacted("no h\x1b[1munter\x1b[0m22 there"), "no [redacted] there");
  EXPECT_EQ(journal.redacted("no \x1b[1mother there"), "no \x1b[1mother there");
  for (const auto* file : {"log", "client"}) {
    const auto text = read_file(directory_ / file).value();
    EXPECT_THAT(text, HasSubstr("       \x1b[31m[redacted]\x1b[0m [redacted] Basic YT"));
    EXPECT_THAT(text, Not(AnyOf(HasSubstr("unter22"), HasSubstr("hunt"), HasSubstr("er22"), HasSubstr("odW50ZXIy"))))
        << text;
  }
}

TEST_F(JournalTest, AnErrorFarAboveTheEndOfTheOutputIsRepeated) {
  Journal journal(client_.get());
  journal.begin("Building");
  journal.output("Error: the first\nError: the second\n");
  for (int number = 0; number < 50; ++number) journal.output("npm notice\n");
  static_cast<void>(said());
  EXPECT_TRUE(journal.evidence({}));
  EXPECT_EQ(said(), "       … the first line that looks like an error, 51 lines above: Error: the first\n");
  journal.begin("Building");
  journal.output("Error: the first\n");
  static_cast<void>(said());
  EXPECT_TRUE(journal.evidence({"Error: the first"}));
  EXPECT_EQ(said(), "") << "it is on the screen";
}

TEST_F(JournalTest, OutputCannotSteerATerminal) {
  Journal journal(client_.get());
  journal.output("\x1b[2J\x1b[31mred\x1b[0m\x07 \x1b]0;title\x07plain\n");
  EXPECT_EQ(said(), "       \x1b[31mred\x1b[0m plain\n");
  journal.output("10 %\r99 %\r100 %\n");
  EXPECT_EQ(said(), "       100 %\n");
}

TEST_F(JournalTest, ALongLineOfOutputIsCutInAnyChunks) {
  Journal journal(client_.get());
  const auto lengths = [&] {
    std::vector<std::size_t> found;
    for (const auto& line : lines_of(said())) found.push_back(line.size() - std::string("       ").size());
    return found;
  };
  journal.output(std::string(3000, 'x'));
  EXPECT_THAT(lengths(), ElementsAre(2000)) << "without an end yet";
  journal.output(std::string(2500, 'y') + "\n");
  EXPECT_THAT(lengths(), ElementsAre(2000, 1500));
  journal.output(std::string(4500, 'x') + "\n" + std::string(2000, 'y') + "\nz\n");
  EXPECT_THAT(lengths(), ElementsAre(2000, 2000, 500, 2000, 1));
}

TEST_F(JournalTest, ALongLineIsWholeInTheLogAndItsPartsAreMarkedWhenItIsVeryLong) {
  Journal journal(-1);
  journal.open_log(directory_ / "log");
  const std::string indent = "       ";
  const auto chunks = [&](std::size_t size) {
    for (std::size_t at = 0; at < size; at += 1000)
      journal.output(std::string(std::min<std::size_t>(1000, size - at), 'x'));
    journal.output("\n");
  };
  chunks(250'000);
  EXPECT_EQ(read_file(directory_ / "log"), indent + std::string(250'000, 'x') + "\n");
  journal.close_logs();
  journal.open_log(directory_ / "other");
  chunks(600'000);
  journal.output(std::string(300'000, 'x') + "\n");
  std::size_t all = 0;
  const auto lines = lines_of(read_file(directory_ / "other").value());
  ASSERT_EQ(lines.size(), 5U);
  for (const auto& line : lines) all += static_cast<std::size_t>(std::count(line.begin(), line.end(), 'x'));
  EXPECT_EQ(all, 900'000U);
  for (const auto at : {0, 1, 3}) EXPECT_THAT(lines[at], EndsWith("x … (continued)")) << at;
  for (const auto at : {2, 4}) EXPECT_THAT(lines[at], EndsWith("xx")) << at;
}

TEST_F(JournalTest, WhatIsSaidOfOneOfSeveralAppsNamesIt) {
  Journal journal(client_.get());
  journal.speak_of("blog");
  journal.begin("Building for blog");
  journal.output("compiling\nwith");
  journal.speak_of("blog-admin");
  journal.line("a note");
  journal.complaint("blog-admin wants settings");
  journal.complaint("blog-admin.1.web.1 ended");
  journal.complaint("blog-administrators are many");
  journal.speak_of("");
  journal.complaint("Nothing has changed");
  EXPECT_EQ(said(),
            "-----> Building for blog\n       blog | compiling\n       blog | with\n       blog-admin: a note\n"
            " !     blog-admin wants settings\n !     blog-admin.1.web.1 ended\n"
            " !     blog-admin: blog-administrators are many\n !     Nothing has changed\n");
}

TEST_F(JournalTest, StepLinesAreBoldForATerminalAndPlainInTheLog) {
  Journal journal(client_.get(), true);
  journal.open_log(directory_ / "log");
  journal.headline("Deploying");
  journal.line("details");
  EXPECT_EQ(said(), "\x1b[1m-----> Deploying\x1b[0m\n       details\n");
  EXPECT_EQ(read_file(directory_ / "log"), "-----> Deploying\n       details\n");
}

TEST_F(JournalTest, EveryLogGetsTheLinesThatFollowItsOpening) {
  Journal journal(client_.get());
  journal.open_log(directory_ / "logs/blog/1.log");
  journal.line("one");
  journal.open_log(directory_ / "logs/admin/1.log");
  journal.line("two");
  journal.close_logs();
  journal.line("three");
  EXPECT_EQ(read_file(directory_ / "logs/blog/1.log"), "       one\n       two\n");
  EXPECT_EQ(read_file(directory_ / "logs/admin/1.log"), "       two\n");
  struct stat status = {};
  ASSERT_EQ(stat((directory_ / "logs/blog/1.log").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
  journal.open_log(directory_ / "logs/blog/1.log");
  journal.line("four");
  EXPECT_EQ(read_file(directory_ / "logs/blog/1.log"), "       one\n       two\n       four\n") << "appended to";
}

TEST_F(JournalTest, TheLogGoesOnWhenTheClientHasGoneAway) {
  auto pipe = make_pipe();
  const auto before = signal(SIGPIPE, SIG_IGN);  // as outlive_client() does
  Journal journal(pipe.write_end.get());
  journal.open_log(directory_ / "log");
  pipe.read_end.reset();
  journal.line("one");
  journal.line("two");
  signal(SIGPIPE, before);
  EXPECT_EQ(read_file(directory_ / "log"), "       one\n       two\n");
}

TEST_F(JournalTest, AClientThatReadsNoMoreHoldsNothingUp) {
  const auto pipe = make_pipe();
  Journal journal(pipe.write_end.get(), false, {Milliseconds{50}, Milliseconds{10'000}});
  journal.open_log(directory_ / "log");
  const Stopwatch time;
  const std::string line(1000, 'x');
  for (int count = 0; count < 500; ++count) journal.output(line + "\n");
  EXPECT_EQ(read_file(directory_ / "log")->size(), 500 * (line.size() + 8)) << "more than any pipe holds";
  std::string first(line.size() + 8, ' ');
  ASSERT_EQ(read(pipe.read_end.get(), first.data(), first.size()), static_cast<ssize_t>(first.size()));
  EXPECT_EQ(first, "       " + line + "\n") << "as long as there was room";
}

TEST_F(JournalTest, TheLogKeepsALimitedOutputAndEveryStep) {
  Journal journal(-1);
  journal.open_log(directory_ / "log");
  const std::string chunk = std::string(1999, 'x') + "\n";
  for (std::size_t bytes = 0; bytes <= Journal::kLoggedOutput; bytes += chunk.size()) journal.output(chunk);
  journal.output("more\n");
  journal.complaint("it failed");
  const auto logged = read_file(directory_ / "log", 2 * Journal::kLoggedOutput).value();
  EXPECT_LE(logged.size(), Journal::kLoggedOutput + 200);
  EXPECT_THAT(logged.substr(logged.size() - 200),
              EndsWith("x\n       … the rest of the output is left out: it is longer than 16.0 MB\n"
                       " !     it failed\n"));
  journal.close_logs();
  journal.open_log(directory_ / "next");
  journal.output("one\n");
  EXPECT_EQ(read_file(directory_ / "next"), "       one\n") << "the next deployment's begins anew";
}

TEST_F(JournalTest, WorksWithoutAClient) {
  Journal journal(-1);
  journal.open_log(directory_ / "log");
  journal.line("one");
  EXPECT_EQ(read_file(directory_ / "log"), "       one\n");
}

}  // namespace
}  // namespace pushrod
