// The line that HAProxy writes about each request, and what it says.
// Pure. Nothing in a line has a control character: HAProxy refuses requests with such a method or target, and
// writes quotes and bytes outside of ASCII as "#22".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "os/clock.hh"

namespace pushrod {

// What an access line begins with, and nothing else that HAProxy says.
inline constexpr std::string_view kAccessMark = "= ";
// HAProxy's log-format. What a client chooses, of any length, comes last.
inline constexpr std::string_view kAccessFormat = R"("= %[var(txn.app)] %ST %B %Ta %ts %ci %HM %HU")";
// Longer lines are cut. A pipe takes so much whole or not at all (PIPE_BUF).
inline constexpr unsigned kLongestAccessLine = 4'000;

struct AccessLine {
  std::string back_end;  // "app.blog"; "-" for a host that no app has
  unsigned status = 0;
  std::uint64_t bytes = 0;   // of the response, with its head
  Milliseconds duration{0};  // from the request's first byte to the answer's last one, waiting included
  std::string end;           // HAProxy's two letters for how it ended; "--": well
  std::string client;        // address
  std::string method, path;  // as the client sent them, with the query
  std::string text() const;  // "GET /about 200 1234 B 15 ms 192.0.2.7"
};

// Absent for a line of another form.
std::optional<AccessLine> parse_access_line(std::string_view line);

}  // namespace pushrod
