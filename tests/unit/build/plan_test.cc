// Build plans as values.
#include "build/plan.hh"

#include <gtest/gtest.h>

namespace pushrod {
namespace {

TEST(BuildPlans, WithoutStepsHaveNoScript) { EXPECT_EQ(script(BuildPlan{}), ""); }

TEST(BuildPlans, RunTheirStepsInOrderEachInItsDirectory) {
  BuildPlan plan;
  plan.steps = {{"cd /tmp\nmake\n"}, {"npm ci", "/app/it's"}, {"npm run build"}};
  EXPECT_EQ(script(plan), "cd /tmp\nmake\n(cd '/app/it'\\''s' && npm ci)\nnpm run build\n");
}

TEST(BuildPlans, TellTheirStepsInWords) {
  EXPECT_EQ(told({{"npm run build"}, {"make one\nmake two\n"}, {"if true; then x; fi", {}, "x"}}),
            "npm run build, make one …, x");
}

TEST(BuildPlans, TellToolsWhereTheirCachesAre) {
  BuildPlan plan;
  plan.caches = {{"GOCACHE", "go/build"}, {"PIP_CACHE_DIR", "pip"}};
  EXPECT_EQ(cache_variables(plan),
            (std::map<std::string, std::string>{{"GOCACHE", "/cache/go/build"}, {"PIP_CACHE_DIR", "/cache/pip"}}));
}

}  // namespace
}  // namespace pushrod
