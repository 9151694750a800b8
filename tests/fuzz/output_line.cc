// Output of a program, in chunks, with a secret in the first line: what is shown never contains it.
#include "base/output_line.hh"

#include <algorithm>

#include "base/text.hh"
#include "base/utf8.hh"
#include "fuzz.hh"

namespace pushrod {

namespace {

constexpr std::string_view kMovesBack = "\r\b\x1b\xC2";

// As it is looked for: without the spaces around it, as a terminal shows it. Empty: too short, or a part of it cannot
// be seen, or what is left of a mark could spell it by chance.
std::string sought(std::string_view secret, std::string_view output) {
  const auto visible = std::string(trim(plain_text(trim(secret))));
  for (std::string_view rest = visible; !rest.empty();) {
    const auto decoded = decode_utf8(rest);
    if (is_invisible(decoded.value)) return {};
    rest.remove_prefix(decoded.length);
  }
  if (visible.size() < Redactor::kShortestRedacted || visible.find(Redactor::kMark) != std::string::npos) return {};
  const bool may_cut_marks = output.find_first_of(kMovesBack) != std::string_view::npos;
  return may_cut_marks && visible.find_first_of(Redactor::kMark) != std::string::npos ? "" : visible;
}

// A mark and what stands beside it may spell a secret by chance.
std::string without_marks(std::string text) {
  for (auto at = text.find(Redactor::kMark); at != std::string::npos; at = text.find(Redactor::kMark, at + 1)) {
    text.replace(at, Redactor::kMark.size(), "\n");
  }
  return text;
}

void check(const std::string& shown, const std::string& secret) {
  require(is_valid_utf8(shown), "what is shown is UTF-8");
  require(terminal_safe(shown) == shown, "what is shown steers no terminal");
  if (!secret.empty()) {
    require(without_marks(plain_text(shown)).find(secret) == std::string::npos, "no secret is shown");
  }
}

}  // namespace

void fuzz(std::string_view bytes) {
  const auto [secret, output] = first_line(bytes);
  Redactor redactor;
  redactor.add(Secret(std::string(secret)));
  const auto visible = sought(secret, output);
  check(terminal_safe(output, redactor), visible);

  OutputLine line(redactor);
  std::string all;
  const auto show = [&](OutputLine::Until until) {
    for (const auto& piece : line.take(10, until)) {
      check(piece, visible);
      all += plain_text(piece);
    }
  };
  for (std::string_view rest = output; !rest.empty();) {
    const auto length = std::min<std::size_t>(static_cast<unsigned char>(rest.front()) % 8 + 1, rest.size());
    line.add(rest.substr(0, length));
    show(length == 3 ? OutputLine::Until::Settled : OutputLine::Until::Full);
    rest.remove_prefix(length);
  }
  show(OutputLine::Until::End);
  // What overwrites the end of a line that was shown in part is another line.
  if (output.find_first_of(kMovesBack) == std::string_view::npos) check(all, visible);
}

}  // namespace pushrod
