// Replaces secrets in output.
// Found are: a secret as it is, as a terminal shows it, in base64 (either alphabet, wherever it stands in what
// is encoded), with percent escapes, and with backslashes as JSON and shells write them. docs/security.md says what is
// not found.
#pragma once

#include <bitset>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/secret.hh"

namespace pushrod {

// A secret of several lines is known by each of its lines. What is shorter than kShortestRedacted is found in too many
// places that mean something else; the same is true of the base64 of what is shorter than kShortestEncoded.
class Redactor {
 public:
  static constexpr std::size_t kShortestRedacted = 4;
  static constexpr std::size_t kShortestEncoded = 6;
  static constexpr std::string_view kMark = "[redacted]";

  struct Range {
    std::size_t begin = 0;
    std::size_t end = 0;
  };

  void add(const Secret& secret);
  bool is_empty() const { return patterns_.empty(); }

  // A line, or a part of it.
  std::string redact(std::string line) const;
  // Where secrets stand: in order, none within another.
  std::vector<Range> find(std::string_view text) const;
  // Of a text that may go on: how much of it can be shown once what find() tells of is replaced. After it, a secret may
  // have begun that is not whole yet.
  std::size_t settled(std::string_view text) const;

 private:
  struct Pattern {
    Secret text;
    bool is_base64 = false;
  };

  void add_pattern(std::string text, bool is_base64 = false);
  void add_line(std::string_view line);
  const Pattern* longest_at(std::string_view text, std::size_t at) const;
  void search(std::string_view text, const std::vector<std::size_t>* origins, std::vector<Range>& found) const;
  bool may_begin_with(std::string_view text) const;
  std::size_t first_beginning(std::string_view text) const;

  std::vector<Pattern> patterns_;
  // By their first bytes, the longest first; may_begin_ says quickly, for nearly every place, that none begins there.
  std::unordered_map<std::uint32_t, std::vector<std::size_t>> by_beginning_;
  std::bitset<1U << 16U> may_begin_;
  std::size_t longest_ = 0;
};

}  // namespace pushrod
