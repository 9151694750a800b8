// Databases of apps as dumps.
#include "deploy/app_databases.hh"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/error.hh"
#include "base/text.hh"
#include "deploy/control.hh"
#include "deploy/trash.hh"
#include "os/file_lock.hh"
#include "os/files.hh"
#include "services/attachments.hh"
#include "services/dumps.hh"

namespace pushrod {

namespace {

// "db" for the service shop-db of app shop.
std::string label_of(const App& app, const BackingService& service, const ServiceAttachment& attachment) {
  if (!attachment.key.empty()) return attachment.key;
  const auto& name = service.name.str();
  const auto prefix = app.name.str() + "-";
  return name.starts_with(prefix) && name.size() > prefix.size() ? name.substr(prefix.size()) : name;
}

std::string unlike(const std::set<std::string>& taken, const std::string& label) {
  auto found = label;
  for (unsigned number = 2; taken.contains(found); ++number) found = fmt::format("{}-{}", label, number);
  return found;
}

bool works_on(const ServiceAttachment& other, const ServiceAttachment& attachment) {
  return other.app_id != attachment.app_id && other.database == attachment.database &&
         other.state != AttachmentState::Leaving;
}

ServiceName free_name(const Store& store, const App& app, const std::string& label) {
  for (unsigned number = 1;; ++number) {
    auto name = ServiceName::parse(number == 1 ? fmt::format("{}-{}", app.name.str(), label)
                                               : fmt::format("{}-{}-{}", app.name.str(), label, number));
    if (!store.service(name)) return name;
  }
}

UniqueFd open_dump(const Transfer& transfer, const ArchivedService& described) {
  return open_file(transfer.files() / dump_member(described), O_RDONLY | O_NOFOLLOW);
}

BackingService create_for(const Platform& platform, const ArchivedService& described, const App& app) {
  return create_service(platform.services(), {.name = free_name(platform.store, app, described.label),
                                              .type = described.type,
                                              .version = version_like(described.type, described.version),
                                              .memory = described.memory,
                                              .disk = described.disk,
                                              .cpu_percent = described.cpu_percent,
                                              .declared_by = app.id});
}

// The app is not deployed: its first release has the settings. Returns the database.
std::string attach(const Platform& platform, const BackingService& service, const ArchivedService& described,
                   const App& app) {
  auto& store = platform.store;
  const auto settings = store.settings(app.id);
  const auto changes = open_attachment(
      platform.services(), service,
      {.app_id = app.id, .app = app.name, .key = described.key, .prefix = described.prefix, .tcp = described.tcp},
      settings);
  store.together([&] {
    store.set_settings(app.id, with_changes(settings, changes));
    store.follow_attachments_of(app.id);
  });
  for (const auto& attachment : store.attachments_of(app.id)) {
    if (attachment.service == service.id) return attachment.database;
  }
  throw Error("the attachment to service " + service.name.str() + " is gone");
}

}  // namespace

std::vector<AppDatabase> databases_of(const Platform& platform, const App& app) {
  std::vector<AppDatabase> databases;
  std::set<std::string> labels;
  for (const auto& attachment : platform.store.attachments_of(app.id)) {
    if (attachment.state != AttachmentState::Attached) continue;
    const auto service = platform.store.service(attachment.service).value();
    const auto others = platform.store.attachments_to(service.id);
    ArchivedService described{.label = unlike(labels, label_of(app, service, attachment)),
                              .key = attachment.key,
                              .type = service.type,
                              .version = service.version,
                              .memory = service.memory,
                              .prefix = attachment.prefix,
                              .tcp = attachment.port.has_value(),
                              .disk = service.disk,
                              .cpu_percent = service.cpu_percent};
    labels.insert(described.label);
    const bool is_shared =
        std::ranges::any_of(others, [&](const ServiceAttachment& other) { return works_on(other, attachment); });
    databases.push_back({std::move(described), service, attachment, is_shared, type_of(service).keeps_data()});
  }
  return databases;
}

void dump_database(const Platform& platform, const BackingService& service, const std::string& database,
                   const fs::path& file) {
  make_directory(file.parent_path());
  const auto least = platform.settings.free_space;
  dump_to_file(platform.services(), service, database, file, [&] {
    if (free_bytes(platform.layout.root()) >= least) return;
    throw UserError(fmt::format("not enough disk space for the dump of service {}: {} must stay free ([retention] "
                                "free_space)",
                                service.name.str(), format_bytes(least)),
                    "make room (pushrod prune), or ask the administrator for space");
  });
}

void load_database(const Platform& platform, const App& app, ServiceId id, const fs::path& dump) {
  const auto services = platform.services();
  for (const auto& attachment : platform.store.attachments_of(app.id)) {
    const auto service = platform.store.service(id);
    if (attachment.service != id || !service) continue;
    const auto lock = lock_service(services, service->name, "a restore");
    if (service->state == ServiceState::Running) start_service(services, *service);
    restore_service(services, *service, attachment.database, open_file(dump, O_RDONLY | O_NOFOLLOW).get());
  }
}

void import_databases(const Platform& platform, const Transfer& transfer, const ReadArchive& archive, const App& app,
                      Journal& journal, int cancel_fd) {
  if (archive.app.services.empty()) return;
  const auto app_lock = FileLock::acquire(platform.layout.app_lock(app.name));
  app_lock.announce("the import of " + app.name.str());
  for (const auto& described : archive.app.services) {
    check_cancelled(cancel_fd);
    journal.begin(fmt::format("Creating service {} ({}){}", described.label, described.type,
                              described.has_dump ? ", with its data" : ""),
                  "creating service " + described.label);
    const auto service = create_for(platform, described, app);
    const auto database = attach(platform, service, described, app);
    if (described.has_dump) {
      journal.now_doing("reading the dump of " + described.label);
      const auto lock = lock_service(platform.services(), service.name, "the import");
      restore_service(platform.services(), service, database, open_dump(transfer, described).get());
    }
    journal.end();
  }
}

void destroy_imported_services(const Platform& platform, AppId app) {
  const auto services = platform.services();
  for (const auto& service : platform.store.services()) {
    if (service.declared_by != app) continue;
    const auto lock = lock_service(services, service.name, "the end of an import");
    if (const auto now = platform.store.service(service.id)) destroy_service(services, *now);
  }
}

std::size_t verify_dumps(const Platform& platform, const Transfer& transfer, const ArchivedApp& app) {
  std::size_t count = 0;
  for (const auto& described : app.services) {
    if (!described.has_dump) continue;
    ++count;
    try {
      try_dump(platform.services(), described.type, described.version, open_dump(transfer, described).get());
    } catch (const Error& error) {
      throw UserError(
          fmt::format("the dump of {} ({}) cannot be restored: {}", described.label, described.type, error.message()),
          error.hint());
    }
  }
  empty_trash(platform.layout);
  return count;
}

}  // namespace pushrod
