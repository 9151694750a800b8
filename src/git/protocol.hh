// What receive-pack sends to its hooks, and what they answer.
// The proc-receive protocol is that of githooks(5); lines are pkt-lines of at most 65,520 bytes
// (gitprotocol-common(5)). Broken input throws Error; nothing is guessed.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/names.hh"

namespace pushrod {

struct RefCommand {
  std::optional<CommitId> before;  // absent: the ref is created
  std::optional<CommitId> after;   // absent: the ref is deleted (both: one that is not there)
  std::string ref;                 // "refs/heads/main", as the client sent it
};

// Lines "<old> <new> <ref>\n" on standard input of pre-receive.
std::vector<RefCommand> read_pre_receive(int fd);

struct ProcReceiveRequest {
  std::vector<RefCommand> commands;
  std::vector<std::string> push_options;
  bool atomic = false;
};
// Reads the version and capabilities, answers them on `out`, then reads commands and push options.
ProcReceiveRequest read_proc_receive(int in, int out);

struct RefReport {
  std::string ref;
  std::string refusal;       // empty: accepted. Sent as one line of at most 1,000 bytes, without control characters
  bool left_to_git = false;  // accepted, and receive-pack is to update the ref; otherwise the hook has done it
};
// Returns false (and throws nothing) when receive-pack has ended.
bool write_proc_receive_report(int out, const std::vector<RefReport>& reports);

std::string pkt_line(std::string_view payload);  // payload of at most 65,516 bytes

// Push options from the environment, as pre-receive gets them (GIT_PUSH_OPTION_COUNT, GIT_PUSH_OPTION_<n>); at most 50
// of at most 1,024 bytes each without control characters, else UserError. The same holds for proc-receive.
std::vector<std::string> push_options_from_environment();

}  // namespace pushrod
