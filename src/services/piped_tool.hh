// A tool beside a server whose output another one reads.
#pragma once

#include "os/command.hh"
#include "services/service_type.hh"

namespace pushrod {

// For what a tool says while its output goes elsewhere: a file without a name, since it may be more than a pipe takes.
UniqueFd file_for_complaints(const Server& server);
// The first line is the reason; what follows explains it. Empty without one.
std::string first_complaint(const UniqueFd& file);

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
