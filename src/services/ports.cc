#include "services/ports.hh"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "base/error.hh"
#include "os/accepting_ports.hh"
#include "os/command.hh"

namespace pushrod {

namespace {

constexpr Milliseconds kListens{10'000};
constexpr Milliseconds kPause{10};  // nothing tells when a program begins to listen

PortForwarder forwarder_of(const BackingService& service, Port port) {
  return {service.name, port, std::string(require_service_type(service.type).socket_name())};
}

bool is_open(Port port) {
  const auto open = accepting_ports();
  return open ? open->contains(port) : accepts_connections(port, kPause);
}

bool is_leased(const Store& store, const PortForwarder& forwarder) {
  const auto service = store.service(forwarder.service);
  if (!service) return false;
  const auto attachments = store.attachments_to(service->id);
  return std::ranges::find(attachments, std::optional(forwarder.port), &ServiceAttachment::port) != attachments.end();
}

}  // namespace

void check_has_tcp(const ServiceType& type) {
  const auto variables = type.variables({}, std::string(type.prefix()));
  if (std::ranges::none_of(variables, [](const auto& variable) { return variable.second.secret; })) {
    throw UserError(
        fmt::format("{} has no passwords: over TCP every app on this machine could use it", type.description()),
        "attach it without --tcp, or without tcp = true in [services]");
  }
  require_socat("--tcp");
}

std::string port_warning(const ServiceName& service, const ServiceAttachment& attachment) {
  return fmt::format(
      "127.0.0.1:{} leads to service {}: every app on this machine can reach that port, and the password in {}_URL "
      "alone keeps them out.",
      attachment.port.value(), service.str(), attachment.prefix);
}

void open_port(const ServicePlatform& platform, const BackingService& service, Port port) {
  platform.engine.forward(forwarder_of(service, port));
  const Deadline deadline(kListens);
  while (!is_open(port)) {
    if (deadline.passed()) {
      throw Error(fmt::format("port {} of service {} takes no connections", port, service.name.str()),
                  fmt::format("see {}", platform.layout.forwarder_log(port).native()));
    }
    std::this_thread::sleep_for(kPause);
  }
}

void keep_ports_open(const ServicePlatform& platform, const BackingService& service) {
  for (const auto& attachment : platform.store.attachments_to(service.id)) {
    if (attachment.port) platform.engine.forward(forwarder_of(service, *attachment.port));
  }
}

bool close_strange_ports(const ServicePlatform& platform) {
  // What runs is looked at first: a port that is leased and opened in between is never taken for a stranger.
  bool any = false;
  for (const auto& forwarder : platform.engine.forwarders()) {
    if (is_leased(platform.store, forwarder)) continue;
    platform.engine.end_forwarding(forwarder);
    any = true;
  }
  return any;
}

std::vector<PortForwarder> ports_to_open(const ServicePlatform& platform) {
  std::vector<PortForwarder> forwarders;
  for (const auto& attachment : platform.store.attachments()) {
    const auto service = platform.store.service(attachment.service);
    if (attachment.port && service) forwarders.push_back(forwarder_of(*service, *attachment.port));
  }
  return forwarders;
}

}  // namespace pushrod
