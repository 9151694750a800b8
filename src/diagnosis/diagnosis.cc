// Puts the tables together: a limit that the kernel enforced comes first, then the exit codes of shells, then the last
// line of output that explains something.
#include "diagnosis/diagnosis.hh"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hh"
#include "diagnosis/facts.hh"

namespace pushrod {

namespace {

// What a program printed long before its end did not end it.
constexpr std::size_t kLinesLookedAt = 300;

std::vector<std::string> plain_lines(const std::vector<std::string>& output) {
  std::vector<std::string> lines;
  const auto skipped = output.size() - std::min(output.size(), kLinesLookedAt);
  for (auto line = output.begin() + static_cast<std::ptrdiff_t>(skipped); line != output.end(); ++line) {
    lines.push_back(plain_text(*line));
  }
  return lines;
}

}  // namespace

std::string diagnose(const FailedProgram& failed) {
  const Facts facts{failed, plain_lines(failed.output)};
  for (const auto explain : {explain_limit, explain_shell_error, explain_output}) {
    if (auto hint = explain(facts); !hint.empty()) return hint;
  }
  return {};
}

std::vector<std::string> excerpt(const std::vector<std::string>& output, std::size_t last_lines) {
  if (output.size() <= last_lines + 1) return output;
  const auto tail = output.size() - last_lines;
  std::vector<std::string> shown;
  auto left_out = tail;
  for (std::size_t at = 0; at < tail; ++at) {
    if (!looks_like_error(plain_text(output[at]))) continue;
    if (at > 0) shown.push_back(fmt::format("… {} above …", counted(at, "line")));
    shown.push_back(output[at]);
    left_out -= at + 1;
    break;
  }
  if (left_out > 0) shown.push_back(fmt::format("… {} left out …", counted(left_out, "line")));
  shown.insert(shown.end(), output.begin() + static_cast<std::ptrdiff_t>(tail), output.end());
  return shown;
}

}  // namespace pushrod
