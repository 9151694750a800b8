// Requests over HTTP to servers elsewhere, made by curl(1).
// Nothing is kept, no redirect is followed, and no proxy is used.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "os/command.hh"

namespace pushrod {

struct FetchRequest {
  std::string url;        // http or https
  std::string address{};  // an IP address that is asked instead of what DNS says
  std::string ca_file{};  // PEM, instead of the machine's CAs
  std::chrono::milliseconds deadline{5'000};
};

struct FetchAnswer {
  int status = 0;                                // 0: there was none
  std::map<std::string, std::string> headers{};  // by lower-case name; of several, the last
  std::string body{};                            // at most 256 KiB
  std::string error{};                           // why there was no answer, in curl's words; one line
};

// Throws Error when curl cannot be started.
FetchAnswer fetch(const FetchRequest& request);

Command fetch_command(const FetchRequest& request);  // pure
FetchAnswer parse_fetched(std::string_view output);  // pure; status 0 when it is no answer

}  // namespace pushrod
