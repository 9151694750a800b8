#include "services/piped_tool.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>

#include "base/error.hh"
#include "base/text.hh"
#include "os/files.hh"

namespace pushrod {

namespace {
ChildProcess start(const Server& server, const ServiceClient& client, UniqueFd& output, int complaints) {
  auto pipe = make_pipe();
  output = std::move(pipe.read_end);
  return ChildProcess::start(server.platform.engine.tool({server.service.name, client.argv, client.environment}), -1,
                             pipe.write_end.get(), complaints);
}
}  // namespace

UniqueFd file_for_complaints(const Server& server) {
  return open_file(server.platform.layout.backing_service(server.service.name), O_TMPFILE | O_RDWR);
}

std::string first_complaint(const UniqueFd& file) {
  std::array<char, 4096> begin{};
  const auto length = pread(file.get(), begin.data(), begin.size(), 0);
  const auto lines = lines_of(std::string(begin.data(), length > 0 ? static_cast<std::size_t>(length) : 0));
  return lines.empty() ? std::string{} : escaped(lines.front(), 300);
}

PipedTool::PipedTool(const Server& server, const ServiceClient& client)
    : what_(fmt::format("{} of service {}", fs::path(client.argv.front()).filename().native(),
                        server.service.name.str())),
      complaints_(file_for_complaints(server)),
      process_(start(server, client, output_, complaints_.get())) {}

void PipedTool::check() {
  output_.reset();
  std::optional<CommandResult> result;
  while (!result) result = process_.wait(std::chrono::seconds{60});
  if (result->ok()) return;
  const auto why = first_complaint(complaints_);
  throw Error(fmt::format("{} failed ({}){}", what_, result->describe(), why.empty() ? "" : ": " + why));
}

}  // namespace pushrod
