// What Store's functions share: the connection, and rows read as values.
// Used inside store/ only.
#pragma once

#include <map>
#include <vector>

#include "store/connection.hh"
#include "store/store.hh"

namespace pushrod {

struct Store::Database : Connection {
  using Connection::Connection;
};

// The columns that read_app() reads; a query adds WHERE and ORDER BY.
inline constexpr std::string_view kAppColumns =
    "a.id, a.name, r.name, a.branch, a.path, a.live, a.created, a.stopped, a.maintenance, a.config, a.build_root";
App read_app(Query& row);

AppSetting read_setting(Query& row);  // the columns sealed, secret, service_id, scope

// Every row of a query, or the first one, as a value.
template <class Read>
auto read_all(Query& query, Read read) {
  std::vector<decltype(read(query))> values;
  while (query.next()) values.push_back(read(query));
  return values;
}
template <class Read>
auto read_first(Query& query, Read read) -> std::optional<decltype(read(query))> {
  if (!query.next()) return std::nullopt;
  return read(query);
}

// Within a transaction of the caller: where the app's next deployment takes its code from. The repo gets a row.
void write_source(Connection& connection, AppId app, const Source& source);

// Within a transaction of the caller. A final state ends the running step; a step ends the one before it.
DeploymentState state_of_group(Connection& connection, std::int64_t group);  // throws Error when there is none
void write_state(Connection& connection, std::int64_t group, DeploymentState state, WallTime at);
void write_step(Connection& connection, std::int64_t group, Step step, WallTime at);

// Within the transaction that commits the deployment: what the operator wants of the app, as far as this deployment was
// asked to change it. `release`: what it makes; null if nothing.
void write_intent(Connection& connection, const Deployment& deployment, const Release* release);

// Before the commit of these deployments, one group: are their releases (by app) watched? Their kind and at least one
// process say so, and all of their apps have a live release to fall back to and are not stopped.
bool may_be_watched(Connection& connection, const std::vector<Deployment>& deployments,
                    const std::map<AppId, Release>& releases);
// Watches the release that the deployment makes live: the app's routed instances that ran beside it become Standby.
// Before apps.live is changed.
void begin_watch(Connection& connection, const Deployment& deployment, const Release& made, WallTime at);
// The app's instances that a fallback keeps serve again, and its watch is over.
void take_back_standby(Connection& connection, const Deployment& deployment, WallTime at);

}  // namespace pushrod
