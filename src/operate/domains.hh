// Domains: the hosts and paths that lead to an app beside its own address. Not a deployment: they stay with the app
// through pushes, rollbacks and the deletion of its branch, and count at once, without a reload of the router.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "model/domain.hh"
#include "operate/json.hh"
#include "operate/session.hh"

namespace pushrod {

// A domain as lists show it.
struct DomainView {
  AppName app;
  Route route;
  bool is_own = false;            // the app's own address
  std::optional<WallTime> added;  // absent for the own address
  std::string url;
  std::string warning;  // of its certificate; empty: nothing is wrong
};
Json to_json(const DomainView& view);

// Of one app, or of all that the caller may see; by app, the own address first.
std::vector<DomainView> list_domains(Session& session, const std::optional<AppName>& app);

struct DomainOptions {
  bool strip_prefix = false;
  std::optional<HostName> redirect_to{};
  std::optional<std::chrono::seconds> hsts{};
};

// Adds them all or none; a domain that the app has already gets these options. Needs the right Deploy for the app, and
// for every app that already has another part of the same host, a wildcard that covers it, or a host that the new
// wildcard covers: a path of a host can read its cookies. Throws UserError when another app has one of them (it is
// named to callers that may see it), for names below [http] domain, and when nothing changes.
std::vector<DomainView> add_domains(Session& session, const AppName& app, const std::vector<RoutePoint>& points,
                                    const DomainOptions& options);
// Removes them all or none. Throws UserError when the app lacks one.
void remove_domains(Session& session, const AppName& app, const std::vector<RoutePoint>& points);

}  // namespace pushrod
