// Domains: the routes of apps beside their own addresses. They go with their app's row.
#include "store/database.hh"

namespace pushrod {

namespace {

constexpr std::string_view kDomains =
    "SELECT d.app_id, a.name, d.host, d.prefix, d.strip_prefix, d.redirect_to, d.hsts, d.added FROM domains d"
    " JOIN apps a ON a.id = d.app_id WHERE ?1 IS NULL OR d.app_id = ?1 ORDER BY d.host, d.prefix";

PathPrefix prefix_from(const std::string& text) { return text.empty() ? PathPrefix{} : PathPrefix::parse(text); }

Domain read_domain(Query& row) {
  const auto id = row.integer();
  auto app = row.name<AppName>();
  auto host = HostName::parse(row.text());
  Route route{{std::move(host), prefix_from(row.text())}};
  route.strip_prefix = row.boolean();
  route.redirect_to = row.optional([](Query& column) { return HostName::parse(column.text()); });
  route.hsts = row.optional([](Query& column) { return std::chrono::seconds{column.integer()}; });
  return {id, std::move(app), std::move(route), row.time()};
}

}  // namespace

std::vector<Domain> Store::domains(std::optional<AppId> app) const {
  Query rows = db_->query(kDomains);
  return read_all(rows.with(app), read_domain);
}

void Store::set_domain(AppId app, const Route& route) {
  std::optional<std::string> redirect;
  if (route.redirect_to) redirect = route.redirect_to->str();
  std::optional<std::int64_t> hsts;
  if (route.hsts) hsts = route.hsts->count();
  db_->query(
         "INSERT INTO domains (app_id, host, prefix, strip_prefix, redirect_to, hsts, added) VALUES (?, ?, ?, ?, ?, ?, "
         "?)"
         " ON CONFLICT (host, prefix) DO UPDATE SET app_id = excluded.app_id, strip_prefix = excluded.strip_prefix,"
         " redirect_to = excluded.redirect_to, hsts = excluded.hsts")
      .with(app, route.point.host.str(), route.point.prefix.str(), std::int64_t{route.strip_prefix}, redirect, hsts,
            now())
      .run();
}

void Store::remove_domain(AppId app, const RoutePoint& point) {
  db_->query("DELETE FROM domains WHERE app_id = ? AND host = ? AND prefix = ?")
      .with(app, point.host.str(), point.prefix.str())
      .run();
}

}  // namespace pushrod
