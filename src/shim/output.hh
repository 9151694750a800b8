// What an instance prints, on its way through the keeper to the log. s6-log takes a NUL byte for the end of a line, so
// the keeper puts U+FFFD in its place; everything else passes as it is. Only the keeper of a logged instance has this.
#pragma once

#include <poll.h>
#include <stddef.h>

namespace shim {

class Output {
 public:
  // Makes the pipe. Returns the end that becomes standard output and error of the sandbox; ours is kOutputFd.
  static int open();

  // What to wait for before pass_on() is called: output, or room in the log. The keeper never blocks on the log.
  pollfd event() const;
  void pass_on();
  // Nothing can print any more: passes on the rest, and gives up if the log takes nothing for a second. Ends the last
  // line, which s6-log would lose, or join with the first one of the next start.
  void finish();

 private:
  bool read_chunk();
  bool write_chunk(int patience);

  bool is_open_ = true;
  bool in_line_ = false;
  char* start_ = nullptr;  // what has been read and not written yet
  size_t size_ = 0;
};

}  // namespace shim
