// Which lines of a log are wanted.
#include "logs/filter.hh"

#include <fmt/format.h>
#include <re2/re2.h>

#include "base/error.hh"
#include "base/text.hh"

namespace pushrod {

namespace {

constexpr std::size_t kLongestPattern = 1000;

std::unique_ptr<re2::RE2> compile(const std::string& pattern) {
  if (pattern.size() > kLongestPattern) {
    throw UserError(fmt::format("the pattern has {}; at most {} are read", format_bytes(pattern.size()),
                                format_bytes(kLongestPattern)));
  }
  re2::RE2::Options options;
  options.set_log_errors(false);
  auto compiled = std::make_unique<re2::RE2>(pattern, options);
  if (!compiled->ok()) {
    throw UserError(fmt::format("{} is not a pattern: {}", quoted(pattern), compiled->error()),
                    "a pattern is a regular expression; a backslash before one of ( ) [ ] { } . * + ? | ^ $ makes it "
                    "an ordinary character");
  }
  return compiled;
}

}  // namespace

WallTime parse_since(const std::string& text, WallTime now) {
  if (const auto time = parse_time(text)) return *time;
  // A number alone could be meant as a year or an hour.
  const auto age = parse_unsigned(text) ? std::nullopt : parse_duration(text);
  if (age && *age < Milliseconds(to_epoch_milliseconds(now))) return now - *age;
  throw UserError(fmt::format("{} is not a point in time", quoted(text)),
                  "say how long ago, as 10m, 2h or 1d12h, or when (UTC), as \"2026-11-22 15:04\"");
}

LogFilter::LogFilter(const std::string& since, const std::string& pattern) {
  if (!since.empty()) since_ = parse_since(since, now());
  if (!pattern.empty()) pattern_ = compile(pattern);
}

LogFilter::~LogFilter() = default;

bool LogFilter::matches(const std::string& text) const {
  return !pattern_ || re2::RE2::PartialMatch(plain_text(text), *pattern_);
}

}  // namespace pushrod
