// Attachments over TCP: a port on 127.0.0.1 for each, which leads to the socket of the service. The row of the
// attachment has leased it; the daemon ends ports that no row has.
#pragma once

#include "services/service_type.hh"

namespace pushrod {

// Throws UserError where that cannot be: a server without passwords, or nothing that forwards.
void check_has_tcp(const ServiceType& type);
// For people: what the port of an attachment means.
std::string port_warning(const ServiceName& service, const ServiceAttachment& attachment);
// Returns when the port takes connections. Throws Error.
void open_port(const ServicePlatform& platform, const BackingService& service, Port port);

// The daemon's part: opens what a kill has left closed, and ends what no row has. True when there was something to end.
void keep_ports_open(const ServicePlatform& platform, const BackingService& service);
bool close_strange_ports(const ServicePlatform& platform);

// For `pushrod up`.
std::vector<PortForwarder> ports_to_open(const ServicePlatform& platform);

}  // namespace pushrod
