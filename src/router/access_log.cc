// Reads access lines, field by field.
#include "router/access_log.hh"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hh"

namespace pushrod {

namespace {

// The text up to the next space, which is taken off, too.
std::string next_field(std::string_view& line) {
  const auto end = std::min(line.find(' '), line.size());
  std::string field(line.substr(0, end));
  line.remove_prefix(std::min(end + 1, line.size()));
  return field;
}

// "/path" of "http://host/path" (RFC 9112, section 3.2.2), as the app got it. HAProxy logs what the client sent.
std::string origin_form(std::string_view target) {
  constexpr std::string_view kSeparator = "://";
  const auto scheme_end = target.find_first_of(":/?");
  if (scheme_end == 0 || scheme_end == target.npos || !target.substr(scheme_end).starts_with(kSeparator)) {
    return std::string(target);
  }
  target.remove_prefix(scheme_end + kSeparator.size());
  target.remove_prefix(std::min(target.find_first_of("/?"), target.size()));
  return target.starts_with('/') ? std::string(target) : "/" + std::string(target);
}

}  // namespace

std::string AccessLine::text() const {
  return fmt::format("{} {} {} {} B {} ms {}{}", method, path, status, bytes, duration.count(), client,
                     end == "--" ? std::string{} : " " + end);
}

std::optional<AccessLine> parse_access_line(std::string_view line) {
  if (!line.starts_with(kAccessMark)) return std::nullopt;
  line.remove_prefix(kAccessMark.size());
  AccessLine access;
  access.back_end = next_field(line);
  const auto status = next_field(line);
  const auto bytes = parse_unsigned(next_field(line));
  const auto duration = parse_unsigned(next_field(line));
  access.end = next_field(line);
  access.client = next_field(line);
  access.method = next_field(line);
  access.path = origin_form(line);
  if (access.method.empty() || !bytes) return std::nullopt;
  // -1: none, because the client went away before.
  access.status = static_cast<unsigned>(parse_unsigned(status).value_or(0));
  access.bytes = *bytes;
  access.duration = Milliseconds{static_cast<std::int64_t>(duration.value_or(0))};
  return access;
}

}  // namespace pushrod
