// An app that comes from an archive.
#include "deploy/import.hh"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "archive/sqlite_copies.hh"
#include "base/error.hh"
#include "base/text.hh"
#include "certificates/openssl.hh"
#include "deploy/app_databases.hh"
#include "deploy/apps.hh"
#include "deploy/certificates.hh"
#include "deploy/traffic.hh"
#include "deploy/trash.hh"
#include "git/bundle.hh"
#include "git/tree_check.hh"
#include "os/file_lock.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

constexpr std::size_t kLargestDescription = std::size_t{64} << 20;
constexpr std::size_t kLargestValue = std::size_t{1} << 20;
constexpr const char* kDescription = "pushrod-app.json";
constexpr const char* kBundle = "repository.bundle";

UserError incomplete(const std::string& what) {
  return UserError(fmt::format("the archive is refused: {} is missing in it", what),
                   "make it again: app export APP > app.tar");
}

std::string read_member(const fs::path& path, std::size_t cap, const std::string& name) {
  const bool is_there = is_directory(path.parent_path()) && is_plain_file(path);
  if (!is_there) throw incomplete(name);
  return read_file(path, cap, false).value();
}

// The repository of the archive beside its other files; absent: it has none.
std::optional<fs::path> make_repository(const Platform& platform, const Transfer& transfer, const ArchivedApp& app) {
  const auto bundle = transfer.files() / kBundle;
  if (!is_plain_file(bundle)) {
    if (app.commit) throw incomplete(kBundle);
    return std::nullopt;
  }
  const auto directory = transfer.files() / "repository.git";
  const auto repository = Repository::create(directory, platform.layout.hooks(), platform.settings);
  const Repository limited(directory, platform.settings.push_memory);
  read_bundle(limited, bundle, {});
  if (limited.head_of(app.source.branch) != app.commit) {
    throw UserError(fmt::format("the archive is refused: branch {} is not at the commit that it names",
                                quoted(app.source.branch.str())),
                    "make it again: app export APP > app.tar");
  }
  if (app.commit) check_tree(limited, *app.commit, platform.settings, false);
  repository.set_default_branch(app.source.branch);
  return directory;
}

void refuse_taken_domains(const Store& store, const ArchivedApp& app) {
  for (const auto& domain : store.domains()) {
    for (const auto& route : app.domains) {
      if (route.point != domain.route.point) continue;
      throw UserError(fmt::format("{} belongs to app {}", route.point.unicode(), domain.app.str()),
                      fmt::format("remove it there first (pushrod domain remove {} {}), or import without domains: "
                                  "--no-domains",
                                  domain.app.str(), route.point.unicode()));
    }
  }
}

AppSettings sealed(const Vault& vault, AppId app, const ReadArchive& archive) {
  AppSettings settings;
  for (const auto& [name, value] : archive.settings) {
    const auto& kind = archive.app.settings.at(name);
    settings.emplace(name, AppSetting{vault.seal(app, name, value), kind.secret, 0, kind.scope});
  }
  return settings;
}

App add_rows(const Platform& platform, std::int64_t import, const ReadArchive& archive, const AppName& name,
             const Source& source) {
  auto& store = platform.store;
  const auto& from = archive.app;
  std::optional<App> app;
  store.together([&] {
    app = store.add_app(name, source);
    store.set_import_app(import, app->id);
    store.set_settings(app->id, sealed(store.vault(), app->id, archive));
    store.set_counts(app->id, from.counts);
    store.set_stopped(app->id, from.stopped);
    store.set_maintenance(app->id, from.maintenance, from.maintenance_page);
    store.set_access_rules(app->id, from.access);
    for (const auto& cron : from.crons) store.set_cron_state(app->id, cron);
    refuse_taken_domains(store, from);
    for (const auto& route : from.domains) store.set_domain(app->id, route);
  });
  return store.app(app->id).value();
}

// The app's /data, as the archive has it. What an app of this name has left is none of it.
void place_data(const Layout& layout, const Transfer& transfer, const AppName& name) {
  const auto data = transfer.files() / "data";
  if (!is_directory(data)) return;
  if (chmod(data.c_str(), 0700) != 0) throw_errno("chmod " + data.string());
  make_directory(layout.data(name).parent_path());
  if (is_directory(layout.data(name))) discard(layout, layout.data(name));
  rename_path(data, layout.data(name));
}

std::vector<HostName> install_certificates(const Platform& platform, std::int64_t import, const ReadArchive& archive) {
  std::vector<HostName> kept, added;
  for (const auto& [pair, certificate] : archive.certificates) {
    const bool has_one = platform.store.certificate(certificate.host).has_value();
    (has_one ? kept : added).push_back(certificate.host);
  }
  platform.store.set_import_certificates(import, added);
  for (const auto& [pair, certificate] : archive.certificates) {
    if (std::find(added.begin(), added.end(), certificate.host) == added.end()) continue;
    install_certificate(platform, pair, certificate);
  }
  return kept;
}

constexpr const char* kOtherName = "import it under another name, which its repo gets, too: app import NAME < app.tar";

void check_joins(const Platform& platform, const ArchivedApp& app, const RepoName& repo) {
  if (!platform.store.apps_of(repo).empty()) {
    const auto head = Repository(platform.layout.repo(repo)).head_of(app.source.branch);
    const bool is_used = !platform.store.apps_of(repo, app.source.branch).empty();
    if (head ? is_used && head == app.commit : app.commit.has_value()) return;
  }
  throw UserError(fmt::format("repo {} already exists", repo.str()), kOtherName);
}

void place_repository(const Platform& platform, const std::optional<fs::path>& made, const ArchivedApp& app,
                      const RepoName& repo, bool makes_repo) {
  const auto& layout = platform.layout;
  const auto directory = layout.repo(repo);
  if (!makes_repo) {
    const Repository repository(directory, platform.settings.push_memory);
    if (!repository.head_of(app.source.branch))
      read_bundle(repository, made->parent_path() / kBundle, app.source.branch);
    return;
  }
  make_directory(layout.repos());
  if (made) rename_path(*made, directory);
  Repository::create(directory, layout.hooks(), platform.settings);
}

// Said again after a crash it goes on where it stopped.
void remove_import(const Platform& platform, const Import& import) {
  const auto app = import.app ? platform.store.app(*import.app) : std::nullopt;
  for (const auto& host : import.certificates) {
    if (const auto certificate = platform.store.certificate(host)) uninstall_certificate(platform, *certificate);
  }
  if (import.app) destroy_imported_services(platform, *import.app);
  if (app) {
    destroy_app(platform, *app);
  } else if (import.makes_repo) {
    const auto lock = FileLock::acquire(platform.layout.repo_lock(import.repo));
    const auto directory = platform.layout.repo(import.repo);
    if (platform.store.apps_of(import.repo).empty() && is_directory(directory)) discard(platform.layout, directory);
  }
  platform.store.end_import(import.id);
}

bool settle_import(const Platform& platform, const Import& import, bool to_deploy) {
  const auto app = import.app ? platform.store.app(*import.app) : std::nullopt;
  if (app && (app->live || !to_deploy)) {
    platform.store.end_import(import.id);
    return true;
  }
  remove_import(platform, import);
  return false;
}

// To the services that the app is attached to now: the prefix of its settings says what it uses a service for.
std::map<ServiceId, fs::path> dumps_for(const Platform& platform, const Transfer& transfer, const App& app,
                                        const ArchivedApp& archive) {
  std::map<ServiceId, fs::path> dumps;
  const auto databases = databases_of(platform, app);
  for (const auto& described : archive.services) {
    if (!described.has_dump) continue;
    const auto found = std::find_if(databases.begin(), databases.end(), [&](const AppDatabase& database) {
      return database.described.type == described.type && database.described.prefix == described.prefix;
    });
    if (found == databases.end()) {
      throw UserError(
          fmt::format("the backup has a database of {} for {}_URL, and app {} is attached to no such service",
                      described.type, described.prefix, app.name.str()),
          fmt::format("attach one first (service create {0}, service attach NAME {1} --as {2}), or restore "
                      "under another name: backup restore {1} NEW",
                      described.type, app.name.str(), described.prefix));
    }
    dumps.emplace(found->service.id, transfer.files() / dump_member(described));
  }
  return dumps;
}

}  // namespace

ReadArchive read_archive(const Transfer& transfer) {
  ReadArchive archive{
      archived_app_from_json(read_member(transfer.files() / kDescription, kLargestDescription, kDescription)), {}, {}};
  for (const auto& [name, kind] : archive.app.settings) {
    const auto file = "settings/" + name.str();
    archive.settings.emplace(name, Secret(read_member(transfer.secrets() / file, kLargestValue, file)));
  }
  for (const auto& host : archive.app.certificates) {
    const auto file = fmt::format("certificates/{}.pem", host.str());
    const auto pair = parse_pem(read_member(transfer.secrets() / file, kLargestValue, file));
    archive.certificates.emplace_back(pair, check_pair(pair, host, CertificateSource::Operator, now()));
  }
  for (const auto& service : archive.app.services) {
    const auto file = transfer.files() / dump_member(service);
    const bool is_there = is_directory(file.parent_path()) && is_plain_file(file);
    if (service.has_dump && !is_there) throw incomplete(dump_member(service));
  }
  return archive;
}

VerifiedArchive verify_archive(const Platform& platform, const Transfer& transfer) {
  const auto archive = read_archive(transfer);
  make_repository(platform, transfer, archive.app);
  VerifiedArchive verified;
  const auto data = transfer.files() / "data";
  if (is_directory(data)) verified.sqlite = check_sqlite(platform.layout, data);
  verified.dumps = verify_dumps(platform, transfer, archive.app);
  return verified;
}

void add_archive(const Platform& platform, const Transfer& transfer, const App& app, Change& change) {
  const auto archive = read_archive(transfer);
  if (!archive.app.commit)
    throw UserError("the backup is of an app that had no commit yet", "restore it under another name");
  const auto bundle = transfer.files() / kBundle;
  const auto repo_lock = FileLock::acquire(platform.layout.repo_lock(app.repo));
  const Repository repository(platform.layout.repo(app.repo), platform.settings.push_memory);
  const bool moves = repository.head_of(app.branch) != archive.app.commit;
  if (moves && platform.store.apps_of(app.repo, app.branch).size() > 1) {
    throw UserError(fmt::format("other apps run from branch {} of repo {}, which would have to go back with it",
                                quoted(app.branch.str()), app.repo.str()),
                    "restore under another name: backup restore APP NEW");
  }
  read_bundle_objects(repository, bundle, archive.app.source.branch);
  change.commit = archive.app.commit;
  auto restored = sealed(platform.store.vault(), app.id, archive);
  for (const auto& [name, setting] : platform.store.settings(app.id)) {
    if (setting.service == 0) {
      change.settings[name] = std::nullopt;
    } else {
      restored.erase(name);  // what an attached service gives stays
    }
  }
  for (const auto& [name, setting] : restored) change.settings[name] = setting;
  change.dumps = dumps_for(platform, transfer, app, archive.app);
  change.data = transfer.files() / "data";
  if (!is_directory(*change.data)) make_directory(*change.data);
  if (chmod(change.data->c_str(), 0700) != 0) throw_errno("chmod " + change.data->string());
}

std::vector<BackingService> services_without_backup(const Platform& platform, const App& app, const Change& change) {
  std::vector<BackingService> services;
  for (const auto& database : databases_of(platform, app)) {
    if (database.is_kept && !change.dumps.contains(database.service.id)) services.push_back(database.service);
  }
  return services;
}

BegunImport begin_import(const Platform& platform, const Transfer& transfer, const ReadArchive& archive,
                         const AppName& name, const RepoName& repo) {
  const auto& layout = platform.layout;
  refuse_taken_domains(platform.store, archive.app);
  const auto made = make_repository(platform, transfer, archive.app);
  flush_file_system(layout.root());
  const auto app_lock = FileLock::acquire(layout.app_lock(name));
  app_lock.announce("the import of " + name.str());
  const auto repo_lock = FileLock::acquire(layout.repo_lock(repo));
  if (platform.store.app(name)) throw UserError(fmt::format("app {} already exists", name.str()), kOtherName);
  const bool makes_repo = !is_directory(layout.repo(repo)) && platform.store.apps_of(repo).empty();
  if (!makes_repo) check_joins(platform, archive.app, repo);
  auto source = archive.app.source;
  source.repo = repo;
  const auto import = platform.store.begin_import(transfer.name(), repo, makes_repo);
  place_repository(platform, made, archive.app, repo, makes_repo);
  auto app = add_rows(platform, import, archive, name, source);
  place_data(layout, transfer, name);
  auto kept = install_certificates(platform, import, archive);
  publish_routes(platform);
  return {std::move(app), std::move(kept)};
}

bool end_import(const Platform& platform, const Transfer& transfer, bool to_deploy) {
  for (const auto& import : platform.store.imports()) {
    if (import.transfer == transfer.name()) return settle_import(platform, import, to_deploy);
  }
  return false;
}

void settle_imports(const Platform& platform) {
  for (const auto& import : platform.store.imports()) {
    if (!is_alive(platform.layout, import.transfer)) settle_import(platform, import, true);
  }
  remove_left_transfers(platform.layout);
}

}  // namespace pushrod
