// Jobs: their names, and their commands stored and shown.
#include "model/job.hh"

#include <gtest/gtest.h>

#include "base/error.hh"

namespace pushrod {
namespace {

TEST(Job, IsCalledAsItsInstance) {
  const Job job{.app = AppName::parse("blog"),
                .number = 3,
                .release = 14,
                .name = "run",
                .author = {},
                .started = {},
                .ended = {},
                .exit_code = {},
                .outcome = {}};
  EXPECT_EQ(job.short_name(), "run.3");
  EXPECT_EQ(job.instance().str(), "blog.14.run.3");
}

TEST(Job, ItsCommandIsKeptByteForByte) {
  const std::vector<std::string> command{"a  b", "", "ü", "\xff\xfe", "\n\"\\", std::string(1, '\x01'), "[1]"};
  EXPECT_EQ(command_from_json(command_to_json(command)), command);
  for (const auto* text : {"{", "12888.884", "[[256]]", "[[-1]]", "[[1.5]]", "[[\"a\"]]", "7"}) {
    EXPECT_THROW(command_from_json(text), Error) << text;
  }
}

TEST(Job, ItsCommandIsShownAsItWouldBeTyped) {
  EXPECT_EQ(shown_command({"ls", "-l", "/data"}), "ls -l /data");
  EXPECT_EQ(shown_command({"echo", "a b", ""}), "echo 'a b' ''");
  EXPECT_EQ(shown_command({"/bin/sh", "-c", "a | b"}), "a | b");
}

}  // namespace
}  // namespace pushrod
