#include "engine/local/local_ingress.hh"

#include <algorithm>

#include "base/text.hh"
#include "certificates/files.hh"
#include "engine/local/keep_alive.hh"
#include "engine/local/logs.hh"
#include "router/access_log.hh"
#include "supervise/supervise.hh"

namespace pushrod {

namespace {

constexpr std::chrono::hours kTicketKeyAge{12};

RoutingTable table_of(const Layout& layout, const std::vector<TrafficTarget>& targets) {
  RoutingTable table;
  for (auto& pair : installed_pairs(layout)) {
    table.certificates.push_back({std::move(pair.host), std::move(pair.file), std::move(pair.id)});
  }
  const auto keeping = KeepAlive(layout).known(targets);
  for (const auto& target : targets) {
    RoutedApp app{target.app, target.routes, {}, target.mode, target.page, target.sticky, target.http, target.access};
    app.keeps_connections =
        may_keep_connections(target) &&
        std::ranges::all_of(target.backends, [&](const Backend& one) { return keeping.contains(one.instance); });
    for (const auto& backend : target.backends)
      app.servers.push_back({backend.instance, backend.endpoint.port, backend.h2});
    std::sort(app.servers.begin(), app.servers.end());
    table.apps.push_back(std::move(app));
  }
  std::sort(table.apps.begin(), table.apps.end(), [](const auto& a, const auto& b) { return a.app < b.app; });
  return table;
}

// Names that are of no instance are left out.
template <class Count>
std::map<InstanceName, Count> by_instance(const std::map<std::string, Count>& services) {
  std::map<InstanceName, Count> counts;
  for (const auto& [service, count] : services) {
    if (auto name = InstanceName::from(service)) counts.emplace(*name, count);
  }
  return counts;
}

}  // namespace

LocalIngress::LocalIngress(const Layout& layout, const Settings& settings)
    : layout_(layout), settings_(settings), router_(layout, settings) {}

void LocalIngress::route(const std::vector<TrafficTarget>& targets) const { router_.apply(table_of(layout_, targets)); }

bool LocalIngress::is_routed(const std::vector<TrafficTarget>& targets) const {
  // A router that does not run will read the file when it starts, and there is nothing to ask.
  if (!router_.is_running()) return true;
  // A test takes an app some 50 ms: the daemon makes it, so that no push waits for it.
  const KeepAlive keep_alive(layout_);
  keep_alive.find_out(targets);
  return keep_alive.is_complete(targets) && router_.serves(table_of(layout_, targets));
}

void LocalIngress::forget(const std::vector<InstanceName>& ended) const {
  KeepAlive(layout_).forget(ended);
  router_.forget(ended);
}

std::map<AppName, Idleness> LocalIngress::idleness() const {
  std::map<AppName, Idleness> apps;
  for (const auto& [app, idleness] : router_.idleness()) apps.emplace(AppName::parse(app), idleness);
  return apps;
}

std::map<InstanceName, unsigned> LocalIngress::requests_in_flight() const {
  return by_instance(router_.requests_in_flight());
}

std::map<InstanceName, std::uint64_t> LocalIngress::requests_served() const {
  return by_instance(router_.requests_served());
}

std::unique_ptr<LogStream> LocalIngress::access_log(const AppName& app) const {
  const auto sources = [directory = layout_.access_log()] {
    return std::vector<LocalLogs::Source>{{"router", directory}};
  };
  // The log is that of all apps.
  const auto complete = [back_end = routed_name(app)](LogEntry& entry) {
    auto line = parse_access_line(entry.text);
    if (!line || line->back_end != back_end) return false;
    entry.text = line->text();
    entry.access = AccessRecord{line->status, line->bytes, line->duration, line->client, line->method, line->path};
    return true;
  };
  return std::make_unique<LocalLogs>(
      LocalLogs::Places{layout_.instance_logs(app), sources, longest_log_record(settings_.log_bytes), complete});
}

void LocalIngress::tend() const { router_.rotate_ticket_keys(kTicketKeyAge); }

Command LocalIngress::prepare(const std::vector<TrafficTarget>& targets) const {
  router_.prepare(table_of(layout_, targets));
  return router_.command();
}

std::optional<AppName> app_of_wake_call(std::string_view text) { return app_of_routed_name(trim(text)); }

}  // namespace pushrod
