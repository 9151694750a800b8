// The archive of an app.
#include "deploy/export.hh"

#include <fmt/format.h>

#include "archive/sqlite_copies.hh"
#include "base/error.hh"
#include "deploy/app_databases.hh"
#include "git/bundle.hh"
#include "os/file_lock.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

constexpr std::size_t kLargestPair = std::size_t{1} << 20;

void gather_settings(const Platform& platform, const Transfer& transfer, const App& app, PreparedExport& prepared) {
  make_directory(transfer.secrets() / "settings");
  const auto& vault = platform.store.vault();
  for (const auto& [name, setting] : platform.store.settings(app.id)) {
    if (setting.service != 0) continue;  // it leads to a service of this machine
    const auto file = "settings/" + name.str();
    write_file(transfer.secrets() / file, vault.open(app.id, name, setting.sealed).reveal(), 0600, false);
    prepared.app.settings.emplace(name, ArchivedSetting{setting.secret, setting.scope});
    prepared.list.secrets.push_back(file);
  }
}

// With the certificates that an operator gave for their hosts; a CA's are obtained again.
void gather_domains(const Platform& platform, const Transfer& transfer, const App& app, PreparedExport& prepared) {
  make_directory(transfer.secrets() / "certificates");
  for (const auto& domain : platform.store.domains(app.id)) {
    prepared.app.domains.push_back(domain.route);
    const auto& host = domain.route.point.host;
    const auto certificate = platform.store.certificate(host);
    if (!certificate || certificate->source != CertificateSource::Operator) continue;
    const auto file = fmt::format("certificates/{}.pem", host.str());
    if (fs::exists(transfer.secrets() / file)) continue;  // of another path of the host
    const auto pair = read_file(platform.layout.certificate(host), kLargestPair, false);
    if (!pair) continue;
    write_file(transfer.secrets() / file, *pair, 0600, false);
    prepared.app.certificates.push_back(host);
    prepared.list.secrets.push_back(file);
  }
}

void gather_repository(const Platform& platform, const Transfer& transfer, const App& app, PreparedExport& prepared) {
  const Repository repository(platform.layout.repo(app.repo), platform.settings.push_memory);
  prepared.app.commit = repository.head_of(app.branch);
  const bool is_shared = platform.store.apps_of(app.repo).size() > 1;
  if (!write_bundle(repository, transfer.files() / "repository.bundle",
                    is_shared ? std::optional(app.branch) : std::nullopt))
    return;
  prepared.list.files.emplace_back("repository.bundle");
}

void gather_databases(const Platform& platform, const Transfer& transfer, const std::vector<AppDatabase>& databases,
                      bool with_data, PreparedExport& prepared) {
  for (const auto& database : databases) {
    auto described = database.described;
    described.has_dump = with_data && database.is_kept;
    const auto file = dump_member(described);
    if (described.has_dump) {
      dump_database(platform, database.service, database.attachment.database, transfer.files() / file);
      prepared.list.files.push_back(file);
    }
    prepared.app.services.push_back(std::move(described));
  }
}

void gather_data(const Platform& platform, const Transfer& transfer, const App& app, PreparedExport& prepared) {
  const auto data = platform.layout.data(app.name);
  if (!is_directory(data)) return;
  prepared.list.data = data;
  const auto copies = copy_sqlite(platform.layout, transfer, data);
  for (const auto& database : copies.databases) {
    for (const auto* beside : {"", "-wal", "-shm", "-journal"}) {
      prepared.list.excluded.push_back(fmt::format("data/{}{}", database, beside));
    }
    prepared.list.copies.push_back("sqlite/" + database);
  }
  for (const auto& skipped : copies.skipped) {
    prepared.notes.push_back(fmt::format("/data/{}; copied as other files are", skipped));
  }
}

}  // namespace

PreparedExport prepare_export(const Platform& platform, const Transfer& transfer, const AppName& name,
                              const ExportParts& parts) {
  auto lock = std::optional(FileLock::acquire(platform.layout.app_lock(name)));
  lock->announce("the export of " + name.str());
  const auto app = platform.store.app(name);
  if (!app) throw UserError(fmt::format("app {} was destroyed or renamed in the meantime", name.str()));
  PreparedExport prepared{{.name = app->name, .source = app->source()}, {}, {}};
  auto& to = prepared.app;
  to.deployed = app->live.has_value();
  to.stopped = app->stopped;
  to.maintenance = app->maintenance;
  to.maintenance_page = platform.store.maintenance_page(app->id);
  if (auto access = platform.store.access_rules(); access.contains(app->id)) to.access = std::move(access[app->id]);
  to.counts = platform.store.counts(app->id);
  to.made = now();
  if (parts.crons) to.crons = platform.store.cron_states(app->id);
  if (parts.settings) gather_settings(platform, transfer, *app, prepared);
  if (parts.domains) gather_domains(platform, transfer, *app, prepared);
  gather_repository(platform, transfer, *app, prepared);
  const auto databases = databases_of(platform, *app);
  lock.reset();  // copies of large databases hold up no deployment
  gather_databases(platform, transfer, databases, parts.data, prepared);
  if (parts.data) gather_data(platform, transfer, *app, prepared);
  write_file(transfer.files() / "pushrod-app.json", to_json(to), 0600, false);
  prepared.list.files.insert(prepared.list.files.begin(), "pushrod-app.json");
  return prepared;
}

}  // namespace pushrod
