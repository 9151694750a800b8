// Reads access lines, field by field.
// Floor 3.
#include "router/access_log.hh"

#include <fmt/format.h>

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
  access.path = std::string(line);
  if (access.method.empty() || !bytes) return std::nullopt;
  // -1: none, because the client went away before.
  access.status = static_cast<unsigned>(parse_unsigned(status).value_or(0));
  access.bytes = *bytes;
  access.duration = Milliseconds{static_cast<std::int64_t>(duration.value_or(0))};
  return access;
}

}  // namespace pushrod
