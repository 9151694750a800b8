#include "os/standard_output.hh"

#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/error.hh"
#include "os/files.hh"

namespace pushrod {

namespace {
int output_problem = 0;  // why something that was printed was not written
}  // namespace

void print(const std::string& text) {
  try {
    write_all(STDOUT_FILENO, text, "writing to standard output");
  } catch (const SystemError& error) {
    // A reader that has gone needs no more.
    if (error.code() != EPIPE) output_problem = error.code();
  }
}

void check_output() {
  if (output_problem != 0) throw SystemError("writing to standard output", std::exchange(output_problem, 0));
}

bool is_terminal(int fd) { return isatty(fd) == 1; }

}  // namespace pushrod
