// Reads what s6's tools print. Pure.
// Used inside supervise/ only. The formats are documented in s6-svstat.html and s6-svdt.html and are the same in
// s6 2.11 to 2.15.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "model/exit_status.hh"
#include "os/clock.hh"

namespace pushrod {

// The fields that parse_svstat() expects.
inline constexpr const char* kSvstatFields = "up,wantedup,pid,updownsince";

struct SvstatAnswer {
  bool up = false;
  bool wanted_up = false;
  pid_t pid = 0;   // 0 while it is down
  WallTime since;  // when it came up or went down

  bool operator==(const SvstatAnswer&) const = default;
};
// "true true 4711 @40000000692a4c5b1f0e3b64". Absent when the text is something else.
std::optional<SvstatAnswer> parse_svstat(std::string_view text);

struct SvdtAnswer {
  unsigned deaths = 0;
  std::optional<ExitStatus> last_exit;  // absent without a death

  bool operator==(const SvdtAnswer&) const = default;
};
// A line for each death, oldest first, with numbers of signals (-s): "@40000000692a4c5b1f0e3b64 exitcode 3", "… signal
// 9". Absent when the text is something else.
std::optional<SvdtAnswer> parse_svdt(std::string_view text);

}  // namespace pushrod
