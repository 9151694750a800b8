// A dump on its way into a program, whose end is looked at: half of a dump in SQL may end between two statements.
#pragma once

#include <string>
#include <thread>

#include "os/unique_fd.hh"

namespace pushrod {

class WholeDump {
 public:
  // Reads `input`. `mark`: what is in the last lines of a whole dump.
  WholeDump(int input, std::string mark);
  WholeDump(const WholeDump&) = delete;
  WholeDump& operator=(const WholeDump&) = delete;
  ~WholeDump();

  int output() const { return output_.get(); }  // for the program to read
  // Waits for the end of the dump. Once the program has ended.
  bool came_to_its_end();

 private:
  void pass_on(int input, int to);
  void finish();

  std::string mark_;
  std::string end_{};
  UniqueFd output_;
  std::thread thread_;
};

}  // namespace pushrod
