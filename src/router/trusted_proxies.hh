// Rules of haproxy.cfg for proxies in front of the router: which of the headers about a request's client are removed,
// kept or set. Without [http] trusted_proxies every client is told apart by its own address.
// Used inside router/ only. Pure.
#pragma once

#include <string>

#include "model/settings.hh"

namespace pushrod {

// For the front end, before the connection limits: the PROXY protocol of trusted proxies.
std::string render_proxy_protocol(const Settings& settings);
// For the front end's sessions: what is the same for all requests of a connection and is told to each app, so that it
// is worked out once: sess.proto, and sess.src where clients have no proxy. Declares the ACL `secure`.
std::string render_client_facts(const Settings& settings);
// For the front end's requests: removes what clients claim, finds the client behind trusted proxies, and sets the
// X-Forwarded-* headers and X-Real-IP-like facts. Afterwards `src` is the client's address and the ACL `secure` says
// whether the client uses https.
std::string render_client_headers(const Settings& settings);

}  // namespace pushrod
