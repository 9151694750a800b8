#include "fetch/fetch.hh"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/text.hh"

namespace pushrod {

namespace {

constexpr std::size_t kLongestAnswer = std::size_t{256} << 10;
constexpr Milliseconds kMargin{2'000};  // curl keeps its own deadline

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char character) { return static_cast<char>(std::tolower(character)); });
  return result;
}

// "curl: (7) Failed to connect to 203.0.113.7 port 80 after 0 ms: Couldn't connect to server" → "Couldn't connect to
// server"
std::string in_short(std::string_view error) {
  auto text = trim(error);
  if (const auto line = text.find('\n'); line != text.npos) text = text.substr(0, line);
  if (text.starts_with("curl: ")) text = text.substr(text.find(") ") + 2);
  if (const auto reason = text.rfind(" ms: "); reason != text.npos) text.remove_prefix(reason + 5);
  return escaped(text, 200);
}

}  // namespace

Command fetch_command(const FetchRequest& request) {
  Command command;
  command.argv = {
      "curl",         "--disable",  "--silent",
      "--show-error", "--include",  "--http1.1",
      "--noproxy",    "*",          "--proto",
      "=http,https",  "--max-time", fmt::format("{:.3f}", static_cast<double>(request.deadline.count()) / 1'000),
      "--user-agent", "pushrod"};
  if (!request.address.empty()) {
    const bool is_v6 = request.address.find(':') != std::string::npos;
    const auto address = is_v6 ? "[" + request.address + "]" : request.address;
    command.argv.insert(command.argv.end(), {"--connect-to", "::" + address + ":"});
  }
  if (!request.ca_file.empty()) command.argv.insert(command.argv.end(), {"--cacert", request.ca_file});
  command.argv.insert(command.argv.end(), {"--", request.url});
  command.deadline = request.deadline + kMargin;
  command.output_cap = kLongestAnswer;
  return command;
}

FetchAnswer parse_fetched(std::string_view output) {
  constexpr std::string_view kEnd = "\r\n\r\n";
  FetchAnswer answer;
  while (output.starts_with("HTTP/")) {
    const auto end = output.find(kEnd);
    if (end == output.npos) return {};
    const auto lines = lines_of(output.substr(0, end));
    const auto words = split(lines.front(), ' ');
    const auto status = words.size() > 1 ? parse_unsigned(trim(words[1])) : std::nullopt;
    if (!status || *status < 100 || *status > 999) return {};
    answer.status = static_cast<int>(*status);
    answer.headers.clear();
    for (std::size_t i = 1; i < lines.size(); ++i) {
      const std::string_view line = lines[i];
      const auto colon = line.find(':');
      if (colon != line.npos) answer.headers[lower(line.substr(0, colon))] = trim(line.substr(colon + 1));
    }
    output.remove_prefix(end + kEnd.size());
    if (answer.status >= 200) break;  // else the real answer follows
  }
  answer.body = output;
  return answer.status >= 200 ? answer : FetchAnswer{};
}

FetchAnswer fetch(const FetchRequest& request) {
  const auto result = run(fetch_command(request));
  // What was too long is an answer as well.
  auto answer = parse_fetched(result.out);
  if (answer.status == 0) answer.error = result.err.empty() ? result.describe() : in_short(result.err);
  return answer;
}

}  // namespace pushrod
