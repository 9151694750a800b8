// Every range becomes bounds: alternatives of bounds that must all hold.
#include "build/version_range.hh"

#include <algorithm>
#include <string>
#include <vector>

#include "base/text.hh"

namespace pushrod {

namespace {

enum class Relation { Less, LessOrEqual, Greater, GreaterOrEqual, Equal, Unequal };

struct Bound {
  Relation relation;
  Version version;
};
using Bounds = std::vector<Bound>;

bool holds(const Bound& bound, const Version& version) {
  switch (bound.relation) {
    case Relation::Less:
      return version < bound.version;
    case Relation::LessOrEqual:
      return version <= bound.version;
    case Relation::Greater:
      return version > bound.version;
    case Relation::GreaterOrEqual:
      return version >= bound.version;
    case Relation::Equal:
      return version == bound.version;
    case Relation::Unequal:
      return version != bound.version;
  }
  return false;
}

bool all_hold(const Bounds& bounds, const Version& version) {
  return std::all_of(bounds.begin(), bounds.end(), [&](const Bound& bound) { return holds(bound, version); });
}

// A version as it is written: "18", "18.x", "v18.2.0-rc.1", "*".
struct Written {
  Version numbers{};
  std::size_t given = 0;  // how many numbers; those that follow are free
  bool before_release = false;

  // The first version above all that begin with the first `count` numbers.
  Version next(std::size_t count) const {
    Version version{};
    std::copy_n(numbers.begin(), count, version.begin());
    if (count > 0) ++version.at(count - 1);
    return version;
  }
};

bool is_digit(char character) { return character >= '0' && character <= '9'; }
bool is_wildcard(std::string_view part) { return part == "x" || part == "X" || part == "*"; }

std::optional<Written> parse_written(std::string_view text) {
  if (text.starts_with('v') || text.starts_with('V')) text.remove_prefix(1);
  Written written;
  text = text.substr(0, text.find('+'));
  if (const auto dash = text.find('-'); dash != std::string_view::npos) {
    written.before_release = true;
    text = text.substr(0, dash);
  }
  const auto parts = split(text, '.');
  if (parts.size() > 3) return std::nullopt;
  bool is_free = false;
  for (const std::string& part : parts) {
    if (is_wildcard(part)) {
      is_free = true;
      continue;
    }
    const auto number = parse_unsigned(part);
    if (!number) return std::nullopt;
    if (!is_free) written.numbers.at(written.given++) = *number;
  }
  return written;
}

// "^1.2.3": below the next version of the first number that is not 0.
Version above_caret(const Written& written) {
  for (std::size_t at = 0; at < written.given; ++at) {
    if (written.numbers.at(at) != 0 || at + 1 == written.given) return written.next(at + 1);
  }
  return {};
}

Bounds between(const Version& first, const Version& end) {
  return {{Relation::GreaterOrEqual, first}, {Relation::Less, end}};
}

// A comparison with an operator of npm's; a version of which numbers are free stands for all of them.
Bounds compare(std::string_view op, const Written& written) {
  const bool is_exact = written.given == 3;
  const Version& numbers = written.numbers;
  if (op == ">=" || (op == ">" && is_exact && written.before_release)) return {{Relation::GreaterOrEqual, numbers}};
  if (op == "<" || (op == "<=" && is_exact && written.before_release)) return {{Relation::Less, numbers}};
  if (op == ">") {
    if (is_exact) return {{Relation::Greater, numbers}};
    if (written.given == 0) return {{Relation::Less, {}}};  // above everything: none
    return {{Relation::GreaterOrEqual, written.next(written.given)}};
  }
  if (written.given == 0) return {};
  if (op == "<=") {
    if (is_exact) return {{Relation::LessOrEqual, numbers}};
    return {{Relation::Less, written.next(written.given)}};
  }
  if (op == "^") return between(numbers, above_caret(written));
  if (op == "~" || op == "~>") return between(numbers, written.next(std::min<std::size_t>(written.given, 2)));
  if (!is_exact) return between(numbers, written.next(written.given));
  if (written.before_release) return {{Relation::Less, {}}};  // no released version is one before a release
  return {{Relation::Equal, numbers}};
}

struct Comparison {
  std::string op;
  std::string version;
};

// Takes ">= 18 <21" apart. Operators may stand apart from their versions.
std::optional<std::vector<Comparison>> comparisons_in(std::string_view text) {
  constexpr std::string_view kOperators = "<>=~^!";
  constexpr std::string_view kSpaces = " \t\n\r";
  std::vector<Comparison> found;
  while (true) {
    const auto start = text.find_first_not_of(kSpaces);
    if (start == std::string_view::npos) return found;
    text.remove_prefix(start);
    const auto after_op = std::min(text.find_first_not_of(kOperators), text.size());
    Comparison comparison{std::string(text.substr(0, after_op)), {}};
    text.remove_prefix(after_op);
    text.remove_prefix(std::min(text.find_first_not_of(kSpaces), text.size()));
    const auto end = std::min(text.find_first_of(" \t\n\r<>=~^!"), text.size());
    comparison.version = text.substr(0, end);
    text.remove_prefix(end);
    if (comparison.version.empty()) return std::nullopt;
    found.push_back(std::move(comparison));
  }
}

std::optional<Bounds> npm_bounds(std::string_view text) {
  text = trim(text);
  if (const auto hyphen = text.find(" - "); hyphen != std::string_view::npos) {
    const auto first = parse_written(trim(text.substr(0, hyphen)));
    const auto last = parse_written(trim(text.substr(hyphen + 3)));
    if (!first || !last) return std::nullopt;
    Bounds bounds = compare(">=", *first);
    for (const Bound& bound : compare("<=", *last)) bounds.push_back(bound);
    return bounds;
  }
  const auto comparisons = comparisons_in(text);
  if (!comparisons) return std::nullopt;
  Bounds bounds;
  for (const auto& [op, word] : *comparisons) {
    constexpr std::array<std::string_view, 8> kOperators{"", "=", "<", "<=", ">", ">=", "^", "~"};
    const bool is_known = op == "~>" || std::find(kOperators.begin(), kOperators.end(), op) != kOperators.end();
    const auto written = parse_written(word);
    if (!is_known || !written) return std::nullopt;
    for (const Bound& bound : compare(op, *written)) bounds.push_back(bound);
  }
  return bounds;
}

// One specifier; "" stands for no operator.
std::optional<bool> meets_python(const Version& version, const Comparison& comparison) {
  auto written = parse_written(comparison.version);
  if (!written) return std::nullopt;
  const bool is_free = comparison.version.ends_with(".*");
  const auto& op = comparison.op;
  const auto numbers_alone = [&] { written->given = 3; };  // "3.11" is 3.11.0
  if (op.empty()) return all_hold(compare("=", *written), version);
  if (op == "==" || op == "===" || op == "!=") {
    if (!is_free) numbers_alone();
    return all_hold(compare("=", *written), version) == (op != "!=");
  }
  if (op == "~=") {
    if (written->given < 2) return std::nullopt;
    return all_hold(between(written->numbers, written->next(written->given - 1)), version);
  }
  if (op == "^" || op == "~") return all_hold(compare(op, *written), version);
  if (op == ">=" || op == "<=" || op == "<" || op == ">") {
    numbers_alone();
    return all_hold(compare(op, *written), version);
  }
  return std::nullopt;
}

}  // namespace

std::optional<Version> find_version(std::string_view text) {
  const auto start = text.find_first_of("0123456789");
  if (start == std::string_view::npos) return std::nullopt;
  text.remove_prefix(start);
  Version version{};
  for (std::uint64_t& number : version) {
    std::size_t digits = 0;
    while (digits < text.size() && is_digit(text[digits])) ++digits;
    const auto parsed = parse_unsigned(text.substr(0, digits));
    if (!parsed) break;
    number = *parsed;
    text.remove_prefix(digits);
    if (!text.starts_with('.')) break;
    text.remove_prefix(1);
  }
  return version;
}

std::optional<bool> is_in_npm_range(const Version& version, std::string_view range) {
  bool is_in = false;
  while (true) {
    const auto bar = range.find("||");
    const auto bounds = npm_bounds(range.substr(0, bar));
    if (!bounds) return std::nullopt;
    is_in = is_in || all_hold(*bounds, version);
    if (bar == std::string_view::npos) return is_in;
    range.remove_prefix(bar + 2);
  }
}

std::optional<bool> is_in_python_range(const Version& version, std::string_view range) {
  bool is_in = true;
  for (const std::string& part : split(range, ',')) {
    if (trim(part).empty()) continue;
    const auto comparisons = comparisons_in(part);
    if (!comparisons || comparisons->size() != 1) return std::nullopt;
    const auto meets = meets_python(version, comparisons->front());
    if (!meets) return std::nullopt;
    is_in = is_in && *meets;
  }
  return is_in;
}

}  // namespace pushrod
