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

PipedTool::PipedTool(const Server& server, const ServiceClient& client)
    : what_(fmt::format("{} of service {}", fs::path(client.argv.front()).filename().native(),
                        server.service.name.str())),
      complaints_(open_file(server.platform.layout.backing_service(server.service.name), O_TMPFILE | O_RDWR)),
      process_(start(server, client, output_, complaints_.get())) {}

void PipedTool::check() {
  output_.reset();
  std::optional<CommandResult> result;
  while (!result) result = process_.wait(std::chrono::seconds{60});
  if (result->ok()) return;
  std::array<char, 1000> text{};
  const auto length = pread(complaints_.get(), text.data(), text.size(), 0);
  const auto lines = lines_of(std::string(text.data(), length > 0 ? static_cast<std::size_t>(length) : 0));
  throw Error(fmt::format("{} failed ({}){}", what_, result->describe(),
                          lines.empty() ? "" : ": " + escaped(lines.front(), 300)));
}

}  // namespace pushrod
