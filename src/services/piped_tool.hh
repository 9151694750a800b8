// A tool beside a server whose output another one reads.
#pragma once

#include "os/command.hh"
#include "services/service_type.hh"

namespace pushrod {

class PipedTool {
 public:
  PipedTool(const Server& server, const ServiceClient& client);
  // The end of the pipe that is read.
  int output() const { return output_.get(); }
  // Waits for its end. Throws Error when it has failed: then what was read is not complete.
  void check();

 private:
  std::string what_;
  UniqueFd output_, complaints_;
  ChildProcess process_;
};

}  // namespace pushrod
