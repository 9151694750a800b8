// From bytes to the row, from the row to pieces.
#include "base/output_line.hh"

#include <algorithm>

namespace pushrod {

void OutputLine::draw(bool is_whole) {
  const auto limit = is_whole ? raw_.size() : redactor_.settled(raw_);
  const std::string_view raw = raw_;
  std::size_t done = 0;
  for (const auto& range : redactor_.find(raw)) {
    if (range.begin >= limit) break;
    filter_.feed(raw.substr(done, range.begin - done), row_);
    row_.print_mark();
    done = range.end;
  }
  if (done < limit) filter_.feed(raw.substr(done, limit - done), row_);
  raw_.erase(0, std::max(done, limit));
  if (is_whole) filter_.end(row_);
}

std::vector<std::string> OutputLine::take(std::size_t longest, Until until) {
  if (until == Until::Full && raw_.size() + row_.size() <= longest) return {};
  const bool is_whole = until == Until::End;
  draw(is_whole);
  const auto end = row_.hide_secrets(redactor_, is_whole);
  std::vector<std::string> pieces;
  std::size_t begin = 0;
  while (begin < end) {
    const auto next = std::min(row_.end_of_piece(begin, longest), end);
    if (until == Until::Full && next == end) break;
    pieces.push_back(row_.render(begin, next, true));
    begin = next;
  }
  if (is_whole) {
    if (pieces.empty() && !was_taken_) pieces.emplace_back();
    row_.clear();
    was_taken_ = false;
  } else {
    row_.erase_before(begin);
    was_taken_ = was_taken_ || begin > 0;
  }
  return pieces;
}

std::string terminal_safe(std::string_view line, const Redactor& redactor) {
  OutputLine output(redactor);
  output.add(line);
  std::string text;
  for (const auto& piece : output.take(std::string::npos, OutputLine::Until::End)) text += piece;
  return text;
}

}  // namespace pushrod
