// What an instance prints, as it arrives in its log.
#include "shim/output.hh"

#include <fcntl.h>

#include "fixtures.hh"
#include "shim/parts.hh"

namespace pushrod {
namespace {

// Lets Output::open() find its descriptor free, and makes this process's standard output the log.
void make_log(int log) {
  dup2(log, 1);
  for (int fd = 3; fd < 64; ++fd) close(fd);
  for (int fd = 3; fd < shim::kOutputFd; ++fd) open("/dev/null", O_RDONLY);
}

// What the log has of it. At most what a pipe holds.
std::string passed_on(const std::string& text) {
  auto log = make_pipe();
  EXPECT_EQ(in_another_process([&] {
              make_log(log.write_end.get());
              const int app = shim::Output::open();
              if (write(app, text.data(), text.size()) != static_cast<ssize_t>(text.size())) return 1;
              close(app);
              shim::Output output;
              for (pollfd event = output.event(); event.fd >= 0; event = output.event()) {
                if (poll(&event, 1, 10'000) != 1) return 2;
                output.pass_on();
              }
              output.finish();
              return 0;
            }),
            0);
  log.write_end.reset();
  std::string found;
  char chunk[4096];
  for (ssize_t got; (got = read(log.read_end.get(), chunk, sizeof chunk)) > 0;) {
    found.append(chunk, static_cast<std::size_t>(got));
  }
  return found;
}

TEST(Output, PassesEverythingButNulBytesAsItIs) {
  std::string bytes;
  for (int byte = 1; byte < 256; ++byte) bytes += static_cast<char>(byte);
  EXPECT_EQ(passed_on(bytes + "\n"), bytes + "\n");
  const std::string zeros(4096, '\0');
  const auto shown = passed_on("a" + zeros + "b\n");
  EXPECT_EQ(shown.size(), 3 * zeros.size() + 3);
  EXPECT_TRUE(shown.starts_with("a\xEF\xBF\xBD\xEF\xBF\xBD"));
  EXPECT_TRUE(
      shown.ends_with("\xEF\xBF\xBD"
                      "b\n"));
}

TEST(Output, EndsTheLastLine) {
  EXPECT_EQ(passed_on("one\ntwo"), "one\ntwo\n");
  EXPECT_EQ(passed_on("one\n"), "one\n");
  EXPECT_EQ(passed_on(""), "");
}

TEST(Output, LosesNothingOfALongText) {
  std::string text;
  for (int line = 0; line < 5'000; ++line) text += fmt::format("line {}\n", line);
  EXPECT_EQ(passed_on(text), text);
}

TEST(Output, DoesNotWaitForALogWithoutAReader) {
  auto log = make_pipe();
  log.read_end.reset();
  EXPECT_EQ(in_another_process([&] {
              signal(SIGPIPE, SIG_IGN);
              make_log(log.write_end.get());
              const int app = shim::Output::open();
              if (write(app, "lost\n", 5) != 5) return 1;
              close(app);
              shim::Output().finish();
              return 0;
            }),
            0);
}

}  // namespace
}  // namespace pushrod
