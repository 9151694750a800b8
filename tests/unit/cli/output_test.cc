// Tables and times as commands print them.
#include "cli/output.hh"

#include <gtest/gtest.h>

namespace pushrod {
namespace {

TEST(Table, ColumnsAreAsWideAsTheirWidestCellAndTheLastIsNotPadded) {
  Table table({"APP", "STATE", "BRANCH"});
  table.add({"blog", "running", "main"});
  table.add({"a-long-name", "-", "x"});
  EXPECT_EQ(table.str(),
            "APP          STATE    BRANCH\n"
            "blog         running  main\n"
            "a-long-name  -        x\n");
}

TEST(Table, WithoutRowsItIsEmpty) {
  Table table({"APP"});
  EXPECT_TRUE(table.is_empty());
  EXPECT_EQ(table.str(), "APP\n");
  table.add({"blog"});
  EXPECT_FALSE(table.is_empty());
}

TEST(Table, CellsCannotForgeLinesOrSteerATerminal) {
  Table table({"BRANCH", "BY"});
  table.add({"a\nb", "\x1b[2Jann"});
  EXPECT_EQ(table.str(), "BRANCH  BY\na\\nb    \\x1b[2Jann\n");
}

TEST(Table, WideCharactersCountOnceAndLongCellsAreCut) {
  Table table({"A", "B"});
  table.add({"häß", "x"});
  EXPECT_EQ(table.str(), "A    B\nhäß  x\n");
  Table long_one({"A"});
  long_one.add({std::string(500, 'x')});
  EXPECT_LT(long_one.str().size(), 250U);
}

TEST(Time, IsIsoWithMillisecondsForMachines) {
  EXPECT_EQ(iso_time(from_epoch_milliseconds(1'700'000'000'042)), "2023-11-14T22:13:20.042Z");
  EXPECT_EQ(iso_time(from_epoch_milliseconds(0)), "1970-01-01T00:00:00.000Z");
}

}  // namespace
}  // namespace pushrod
