#include "logs/service_logs.hh"

#include <fmt/format.h>

#include "base/text.hh"
#include "os/log_file.hh"
#include "os/log_watch.hh"

namespace pushrod {

namespace {
constexpr unsigned kUsualLines = 100;
constexpr Milliseconds kLook{60'000};
}  // namespace

ServiceLogs::ServiceLogs(Session& session, const ServiceName& name, const LogQuery& query)
    : session_(session),
      service_(require_service(session, name, Right::See)),
      query_(query),
      filter_(query.since, query.grep),
      stream_(session.engine().services().logs(name)) {}

std::vector<LogChunk> ServiceLogs::read_on() {
  return stream_->read_on(filter_.since(),
                          [this](WallTime time, const std::string& text) { return filter_.wants(time, text); });
}

void ServiceLogs::read(const LogReceiver& receiver) {
  for (const auto& chunk : read_on()) {
    const auto& entries = chunk.entries;
    const auto most = query_.lines ? *query_.lines : query_.since.empty() ? kUsualLines : entries.size();
    const auto first = entries.size() > most ? entries.size() - most : 0;
    if (chunk.is_partial && first == 0) {
      receiver.note(fmt::format("older lines are left out: the last {} are read", format_bytes(kMostLogRead)));
    }
    for (auto i = first; i < entries.size(); ++i) receiver.entry(entries[i]);
  }
}

void ServiceLogs::follow(const LogReceiver& receiver) {
  LogWatch watch;
  do {
    stream_->watch(watch);
    const auto chunks = read_on();
    if (!session_.store().service(service_.id)) {
      return receiver.note(fmt::format("service {} has been destroyed", service_.name.str()));
    }
    for (const auto& chunk : chunks) {
      for (const auto& entry : chunk.entries) receiver.entry(entry);
    }
  } while (watch.wait(kLook));
}

}  // namespace pushrod
