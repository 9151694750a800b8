// Secrets do not show.
#include "base/secret.hh"

#include <gtest/gtest.h>

namespace pushrod {
namespace {

TEST(Secrets, PrintNothingOfThemselves) { EXPECT_EQ(fmt::format("{}", Secret("geheim")), "[secret]"); }

}  // namespace
}  // namespace pushrod
