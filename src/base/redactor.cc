// Searching many secrets in one pass.
#include "base/redactor.hh"

#include <string.h>

#include <algorithm>
#include <array>

#include "base/decoded_text.hh"
#include "base/text.hh"
#include "base/utf8.hh"

namespace pushrod {

namespace {

using Range = Redactor::Range;

static_assert(Redactor::kShortestRedacted == sizeof(std::uint32_t), "patterns are found by their first bytes");
std::uint32_t beginning_of(const char* text) {
  std::uint32_t bytes = 0;
  memcpy(&bytes, text, sizeof bytes);
  return bytes;
}
std::size_t slot_of(std::uint32_t beginning) { return beginning * 0x9E3779B1U >> 16U; }

// What a reader sees of it, and TerminalRow::readable() finds.
std::string readable(const std::string& text) {
  const auto shown = plain_text(text);
  std::string result;
  for (std::string_view rest = shown; !rest.empty();) {
    const auto decoded = decode_utf8(rest);
    if (!is_invisible(decoded.value)) result += rest.substr(0, decoded.length);
    rest.remove_prefix(decoded.length);
  }
  return result;
}

std::vector<Range> merged(std::vector<Range> ranges) {
  std::sort(ranges.begin(), ranges.end(), [](const Range& a, const Range& b) { return a.begin < b.begin; });
  std::vector<Range> result;
  for (const auto& range : ranges) {
    if (range.begin >= range.end) continue;
    if (!result.empty() && range.begin < result.back().end) {
      result.back().end = std::max(result.back().end, range.end);
    } else {
      result.push_back(range);
    }
  }
  return result;
}

// The characters before and after, which tell of its first and last bytes, and the padding.
Range with_base64_edges(std::string_view text, Range range) {
  if (range.begin > 0 && is_base64_character(text[range.begin - 1])) --range.begin;
  if (range.end < text.size() && is_base64_character(text[range.end])) ++range.end;
  for (int count = 0; count < 2 && range.end < text.size() && text[range.end] == '='; ++count) ++range.end;
  return range;
}

}  // namespace

void Redactor::add(const Secret& secret) {
  for (const auto& part : split(secret.reveal(), '\n')) add_line(trim(part));
  for (auto& [beginning, patterns] : by_beginning_) {
    std::sort(patterns.begin(), patterns.end(), [&](std::size_t a, std::size_t b) {
      return patterns_[a].text.reveal().size() > patterns_[b].text.reveal().size();
    });
  }
}

void Redactor::add_line(std::string_view line) {
  const std::string text(line);
  add_pattern(text);
  add_pattern(std::string(trim(readable(text))));
  // "+" is a space in forms.
  auto form = text;
  std::replace(form.begin(), form.end(), ' ', '+');
  add_pattern(form);
  if (text.size() < kShortestEncoded) return;
  for (const std::size_t offset : {0U, 1U, 2U}) {
    for (const bool for_urls : {false, true}) add_pattern(base64_within(text, offset, for_urls), true);
  }
}

void Redactor::add_pattern(std::string text, bool is_base64) {
  if (text.size() < kShortestRedacted) return;
  const auto beginning = beginning_of(text.data());
  auto& alike = by_beginning_[beginning];
  const auto is_same = [&](std::size_t known) { return patterns_[known].text.reveal() == text; };
  if (std::any_of(alike.begin(), alike.end(), is_same)) return;
  alike.push_back(patterns_.size());
  may_begin_.set(slot_of(beginning));
  longest_ = std::max(longest_, text.size());
  patterns_.push_back({Secret(std::move(text)), is_base64});
}

const Redactor::Pattern* Redactor::longest_at(std::string_view text, std::size_t at) const {
  const auto beginning = beginning_of(text.data() + at);
  if (!may_begin_.test(slot_of(beginning))) return nullptr;
  const auto alike = by_beginning_.find(beginning);
  if (alike == by_beginning_.end()) return nullptr;
  for (const auto index : alike->second) {
    if (text.substr(at).starts_with(patterns_[index].text.reveal())) return &patterns_[index];
  }
  return nullptr;
}

void Redactor::search(std::string_view text, const std::vector<std::size_t>* origins, std::vector<Range>& found) const {
  for (std::size_t at = 0; at + kShortestRedacted <= text.size(); ++at) {
    const auto* pattern = longest_at(text, at);
    if (pattern == nullptr) continue;
    Range range{at, at + pattern->text.reveal().size()};
    if (pattern->is_base64) range = with_base64_edges(text, range);
    if (origins != nullptr) range = {(*origins)[range.begin], (*origins)[range.end]};
    found.push_back(range);
  }
}

std::vector<Range> Redactor::find(std::string_view text) const {
  if (is_empty()) return {};
  std::vector<Range> found;
  search(text, nullptr, found);
  for (const auto& decoded : {percent_decoded(text), unescaped(text)}) {
    if (decoded) search(decoded->text, &decoded->origins, found);
  }
  return found.empty() ? found : merged(std::move(found));
}

std::string Redactor::redact(std::string line) const {
  const auto ranges = find(line);
  if (ranges.empty()) return line;
  std::string result;
  std::size_t done = 0;
  for (const auto& range : ranges) {
    result.append(line, done, range.begin - done);
    result += kMark;
    done = range.end;
  }
  return result.append(line, done);
}

// A secret that goes on beyond the text.
bool Redactor::may_begin_with(std::string_view text) const {
  const auto is_beginning = [&](std::size_t index) {
    const auto& pattern = patterns_[index].text.reveal();
    return pattern.size() > text.size() && pattern.starts_with(text);
  };
  if (text.size() < kShortestRedacted) {
    for (std::size_t index = 0; index < patterns_.size(); ++index) {
      if (is_beginning(index)) return true;
    }
    return false;
  }
  const auto alike = by_beginning_.find(beginning_of(text.data()));
  return alike != by_beginning_.end() && std::any_of(alike->second.begin(), alike->second.end(), is_beginning);
}

std::size_t Redactor::first_beginning(std::string_view text) const {
  for (auto at = text.size() - std::min(text.size(), longest_); at < text.size(); ++at) {
    if (may_begin_with(text.substr(at))) return at;
  }
  return text.size();
}

std::size_t Redactor::settled(std::string_view text) const {
  if (is_empty()) return text.size();
  auto settled = first_beginning(text);
  for (const auto& decoded : {percent_decoded(text), unescaped(text)}) {
    if (!decoded) continue;
    const auto whole = std::string_view(decoded->text).substr(0, decoded->settled);
    const auto begin = first_beginning(whole);
    // A percent sign at the end is nearly always that of "50 %".
    const bool is_lone_sign = begin == whole.size() && decoded->origins[begin] + 1 == text.size();
    if (!is_lone_sign) settled = std::min(settled, decoded->origins[begin]);
  }
  for (const auto& range : find(text)) {
    if (range.begin < settled && settled <= range.end) settled = range.begin;
  }
  return settled;
}

}  // namespace pushrod
