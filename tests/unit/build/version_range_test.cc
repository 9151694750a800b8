// Ranges of versions, as npm and Python write them.
#include "build/version_range.hh"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pushrod {
namespace {

struct Case {
  std::string range;
  std::vector<std::string> in;
  std::vector<std::string> out;
};

Version version(const std::string& text) { return find_version(text).value(); }

TEST(VersionRange, AVersionIsFoundInWhatProgramsPrint) {
  EXPECT_EQ(find_version("v20.20.2\n"), (Version{20, 20, 2}));
  EXPECT_EQ(find_version("Python 3.11.2"), (Version{3, 11, 2}));
  EXPECT_EQ(find_version("3.12"), (Version{3, 12, 0}));
  EXPECT_EQ(find_version("9"), (Version{9, 0, 0}));
  EXPECT_EQ(find_version("18.0.0-rc.1"), (Version{18, 0, 0}));
  EXPECT_FALSE(find_version("nothing"));
  EXPECT_FALSE(find_version(""));
}

TEST(VersionRange, NpmRanges) {
  const std::vector<Case> cases{
      {"*", {"0.0.0", "20.1.2"}, {}},
      {"", {"20.1.2"}, {}},
      {"x", {"20.1.2"}, {}},
      {"18", {"18.0.0", "18.99.1"}, {"17.9.9", "19.0.0"}},
      {"18.x", {"18.4.0"}, {"19.0.0"}},
      {"18.x.x", {"18.4.0"}, {"19.0.0"}},
      {"98.76.x", {"98.76.5"}, {"20.20.2"}},
      {"v18.2", {"18.2.9"}, {"18.3.0", "18.1.9"}},
      {"=18.2.1", {"18.2.1"}, {"18.2.2"}},
      {"18.2.1", {"18.2.1"}, {"18.2.0", "18.2.2"}},
      {">=18", {"18.0.0", "22.1.0"}, {"17.9.9"}},
      {">= 18.1", {"18.1.0", "22.1.0"}, {"18.0.9"}},
      {">18", {"19.0.0"}, {"18.0.0", "18.9.9"}},
      {">18.1", {"18.2.0"}, {"18.1.9"}},
      {">18.1.2", {"18.1.3"}, {"18.1.2"}},
      {"<18", {"17.9.9"}, {"18.0.0"}},
      {"<=18", {"18.9.9"}, {"19.0.0"}},
      {"<=18.1.2", {"18.1.2"}, {"18.1.3"}},
      {">=16 <21", {"16.0.0", "20.9.0"}, {"21.0.0", "15.9.9"}},
      {">=16<21", {"16.0.0", "20.9.0"}, {"21.0.0"}},
      {"^18.2.0", {"18.2.0", "18.9.0"}, {"18.1.9", "19.0.0"}},
      {"^18", {"18.0.0", "18.9.0"}, {"19.0.0"}},
      {"^0.2.3", {"0.2.3", "0.2.9"}, {"0.3.0", "0.2.2"}},
      {"^0.0.3", {"0.0.3"}, {"0.0.4"}},
      {"^0.0", {"0.0.9"}, {"0.1.0"}},
      {"^0", {"0.9.9"}, {"1.0.0"}},
      {"~18.2.3", {"18.2.3", "18.2.9"}, {"18.3.0", "18.2.2"}},
      {"~18.2", {"18.2.0"}, {"18.3.0"}},
      {"~18", {"18.9.0"}, {"19.0.0"}},
      {"~> 18.2", {"18.2.0"}, {"18.3.0"}},
      {"14 || 16 - 18.2 || >=20.1", {"14.3.0", "16.0.0", "18.2.9", "20.1.0"}, {"15.0.0", "18.3.0", "20.0.9"}},
      {"16.1.0 - 18.2.3", {"16.1.0", "18.2.3"}, {"16.0.9", "18.2.4"}},
      {"^18||^20", {"18.1.0", "20.1.0"}, {"19.1.0"}},
      {">=18.0.0-rc.1", {"18.0.0"}, {"17.0.0"}},
      {"<19.0.0-0", {"18.9.9"}, {"19.0.0"}},
      {"18.0.0-rc.1", {}, {"18.0.0"}},
      {">*", {}, {"18.0.0"}},
  };
  for (const Case& one : cases) {
    for (const auto& text : one.in)
      EXPECT_EQ(is_in_npm_range(version(text), one.range), true) << one.range << " " << text;
    for (const auto& text : one.out) {
      EXPECT_EQ(is_in_npm_range(version(text), one.range), false) << one.range << " " << text;
    }
  }
  for (const char* text : {"latest", "please-use-yarn", "18.a", ">=", "1.2.3.4", "=>18", "18,20", "-1", "18..1"}) {
    EXPECT_FALSE(is_in_npm_range({18, 0, 0}, text)) << text;
  }
}

TEST(VersionRange, PythonSpecifiers) {
  const std::vector<Case> cases{
      {">=3.10", {"3.10.0", "3.11.2"}, {"3.9.9"}},
      {">=3.10,<3.13", {"3.12.9"}, {"3.13.0"}},
      {">= 3.10, < 3.13,", {"3.12.9"}, {"3.13.0"}},
      {">3.11", {"3.11.1", "3.12.0"}, {"3.11.0"}},
      {"<=3.11", {"3.11.0"}, {"3.11.1"}},
      {"==3.11.*", {"3.11.0", "3.11.9"}, {"3.12.0"}},
      {"==3.11", {"3.11.0"}, {"3.11.2"}},
      {"!=3.11.*", {"3.12.0"}, {"3.11.2"}},
      {"!=3.11.2", {"3.11.3"}, {"3.11.2"}},
      {"~=3.11", {"3.11.0", "3.99.0"}, {"3.10.9", "4.0.0"}},
      {"~=3.11.2", {"3.11.2", "3.11.9"}, {"3.11.1", "3.12.0"}},
      {"^3.11", {"3.11.2", "3.13.0"}, {"3.10.0", "4.0.0"}},
      {"~3.11", {"3.11.9"}, {"3.12.0"}},
      {"3.11", {"3.11.9"}, {"3.12.0"}},
      {"3.11.2", {"3.11.2"}, {"3.11.3"}},
      {"*", {"3.11.2"}, {}},
  };
  for (const Case& one : cases) {
    for (const auto& text : one.in) {
      EXPECT_EQ(is_in_python_range(version(text), one.range), true) << one.range << " " << text;
    }
    for (const auto& text : one.out) {
      EXPECT_EQ(is_in_python_range(version(text), one.range), false) << one.range << " " << text;
    }
  }
  for (const char* text : {"three", ">=3.a", "3.10 3.11", "~=3", "=>3.1"}) {
    EXPECT_FALSE(is_in_python_range({3, 11, 2}, text)) << text;
  }
}

}  // namespace
}  // namespace pushrod
