// Ports of this machine that lead to sockets of services: socat in a sandbox of its own, which sees that socket and
// nothing else. It is supervised as services are.
#include <fmt/format.h>

#include <algorithm>

#include "base/error.hh"
#include "base/text.hh"
#include "engine/local/local_services.hh"
#include "os/files.hh"
#include "sandbox/shim_spec.hh"

namespace pushrod {

namespace {

// Three parts: neither a service nor an instance has such a name.
constexpr std::string_view kPrefix = "port.";
constexpr Milliseconds kStart{10'000};
constexpr unsigned kConnections = 200;  // a process each
constexpr std::uint64_t kLogBytes = std::uint64_t{1} << 20;

std::string name_of(const PortForwarder& forwarder) {
  return fmt::format("{}{}.{}", kPrefix, forwarder.service.str(), forwarder.port);
}

// A client that shuts its side down may still wait for an answer: -t.
std::vector<std::string> socat_words(const PortForwarder& forwarder) {
  return {"socat", "-t", "60",
          fmt::format("TCP4-LISTEN:{},bind=127.0.0.1,reuseaddr,fork,backlog=128,nodelay,max-children={}",
                      forwarder.port, kConnections),
          fmt::format("UNIX-CONNECT:{}/{}", kServiceSocket, forwarder.socket)};
}

}  // namespace

Service LocalServices::service_of(const PortForwarder& forwarder) const {
  auto sandbox = sandbox_of(forwarder.service);
  sandbox.mounts.front().writable = false;
  sandbox.environment = {{"PATH", "/usr/bin:/bin"}, {"LANG", "C.UTF-8"}};
  sandbox.argv = socat_words(forwarder);
  sandbox.ports = {forwarder.port};
  Service service;
  service.name = name_of(forwarder);
  service.spec = render_sandbox_spec(sandbox);
  service.stop_timeout = Milliseconds{1'000};
  service.log_directory = layout_.forwarder_log(forwarder.port);
  service.log_bytes = std::min(settings_.log_bytes, kLogBytes);
  return service;
}

void LocalServices::forward(const PortForwarder& forwarder) const {
  const auto name = name_of(forwarder);
  if (supervisor_.is_linked(name) && supervisor_.status(name).wanted_up) return;
  if (!supervisor_.is_linked(name)) supervisor_.write(service_of(forwarder));
  supervisor_.start({name}, kStart);
}

void LocalServices::prepare(const PortForwarder& forwarder) const { prepare(service_of(forwarder)); }

bool LocalServices::end_forwarding(const PortForwarder& forwarder) const {
  const auto name = name_of(forwarder);
  if (is_directory(layout_.service(name))) {
    supervisor_.kill(name);
    if (!supervisor_.remove({name}).empty()) return false;
  }
  remove_tree(layout_.forwarder_log(forwarder.port));
  return true;
}

std::vector<PortForwarder> LocalServices::forwarders() const {
  std::vector<PortForwarder> found;
  for (const auto& name : supervisor_.services()) {
    const auto parts = split(name, '.');
    if (!name.starts_with(kPrefix) || parts.size() != 3) continue;
    const auto port = parse_unsigned(parts[2]);
    if (port) found.push_back({ServiceName::parse(parts[1]), static_cast<Port>(*port)});
  }
  return found;
}

}  // namespace pushrod
