// Services and attachments.
#include <fmt/format.h>

#include "base/error.hh"
#include "store/database.hh"

namespace pushrod {

namespace {

std::string select_services(std::string_view condition) {
  return fmt::format(
      "SELECT id, name, type, version, memory, state, sealed_password, declared_by, group_id, created, upgrade,"
      " former_version, disk, cpu_percent, over_disk FROM services {}",
      condition);
}

BackingService read_service(Query& row) {
  const auto number = [](Query& column) { return column.integer(); };
  return BackingService{.id = row.integer(),
                        .name = row.name<ServiceName>(),
                        .type = row.text(),
                        .version = row.text(),
                        .memory = row.number<std::uint64_t>(),
                        .state = service_state_from(row.text()),
                        .sealed_password = row.text(),
                        .declared_by = row.optional(number),
                        .group = row.optional(number),
                        .created = row.time(),
                        .upgrade = row.text(),
                        .former_version = row.text(),
                        .disk = row.number<std::uint64_t>(),
                        .cpu_percent = row.number<unsigned>(),
                        .over_disk = row.number<std::uint64_t>()};
}

std::string select_attachments(std::string_view condition) {
  return fmt::format(
      "SELECT service_id, app_id, coalesce((SELECT name FROM apps WHERE id = app_id), app) AS app_name, key, prefix,"
      " role, database, made_database, state, group_id, next_role, former_role, port FROM service_attachments {} ORDER "
      "BY "
      "app_name, service_id",
      condition);
}

ServiceAttachment read_attachment(Query& row) {
  return ServiceAttachment{.service = row.integer(),
                           .app_id = row.integer(),
                           .app = row.text(),
                           .key = row.text(),
                           .prefix = row.text(),
                           .role = row.text(),
                           .database = row.text(),
                           .made_database = row.boolean(),
                           .state = attachment_state_from(row.text()),
                           .group = row.optional([](Query& column) { return column.integer(); }),
                           .next_role = row.text(),
                           .former_role = row.text(),
                           .port = row.optional([](Query& column) { return column.number<Port>(); })};
}

}  // namespace

BackingService Store::add_service(const BackingService& service) {
  Transaction transaction(*db_);
  if (this->service(service.name)) {
    throw UserError(fmt::format("a service named {} already exists", service.name.str()), "choose another name");
  }
  const auto id =
      db_->query(
             "INSERT INTO services (name, type, version, memory, state, sealed_password, declared_by,"
             " group_id, created, disk, cpu_percent) VALUES (?, ?, ?, ?, 'creating', ?, ?, ?, ?, ?, ?) RETURNING id")
          .with(service.name, service.type, service.version, static_cast<std::int64_t>(service.memory),
                Blob{service.sealed_password}, service.declared_by, service.group, now(),
                static_cast<std::int64_t>(service.disk), std::int64_t{service.cpu_percent})
          .only_integer();
  auto added = this->service(id.value()).value();
  transaction.commit();
  return added;
}

std::vector<BackingService> Store::services() const {
  Query rows = db_->query(select_services("ORDER BY name"));
  return read_all(rows, read_service);
}

std::optional<BackingService> Store::service(const ServiceName& name) const {
  Query rows = db_->query(select_services("WHERE name = ?"));
  return read_first(rows.with(name), read_service);
}

std::optional<BackingService> Store::service(ServiceId id) const {
  Query rows = db_->query(select_services("WHERE id = ?"));
  return read_first(rows.with(id), read_service);
}

void Store::set_service_state(ServiceId service, ServiceState state) {
  db_->query("UPDATE services SET state = ? WHERE id = ?").with(to_string(state), service).run();
}

void Store::set_service_upgrade(ServiceId service, const std::string& mark) {
  db_->query("UPDATE services SET upgrade = ? WHERE id = ?").with(mark, service).run();
}

void Store::set_service_limits(const BackingService& service) {
  db_->query("UPDATE services SET memory = ?, disk = ?, cpu_percent = ? WHERE id = ?")
      .with(static_cast<std::int64_t>(service.memory), static_cast<std::int64_t>(service.disk),
            std::int64_t{service.cpu_percent}, service.id)
      .run();
}

void Store::set_service_over_disk(ServiceId service, std::uint64_t bytes) {
  db_->query("UPDATE services SET over_disk = ? WHERE id = ?").with(static_cast<std::int64_t>(bytes), service).run();
}

void Store::set_service_versions(ServiceId service, const std::string& version, const std::string& former) {
  db_->query("UPDATE services SET version = ?, former_version = ?, upgrade = '' WHERE id = ?")
      .with(version, former, service)
      .run();
}

void Store::remove_service(ServiceId service) { db_->query("DELETE FROM services WHERE id = ?").with(service).run(); }

std::vector<ServiceAttachment> Store::attachments() const {
  Query rows = db_->query(select_attachments(""));
  return read_all(rows, read_attachment);
}

std::vector<ServiceAttachment> Store::attachments_to(ServiceId service) const {
  Query rows = db_->query(select_attachments("WHERE service_id = ?"));
  return read_all(rows.with(service), read_attachment);
}

std::vector<ServiceAttachment> Store::attachments_of(AppId app) const {
  Query rows = db_->query(select_attachments("WHERE app_id = ?"));
  return read_all(rows.with(app), read_attachment);
}

void Store::set_attachment(const ServiceAttachment& attachment) {
  db_->query("INSERT OR REPLACE INTO service_attachments VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .with(attachment.service, attachment.app_id, attachment.app, attachment.key, attachment.prefix, attachment.role,
            attachment.database, std::int64_t{attachment.made_database}, to_string(attachment.state), attachment.group,
            attachment.next_role, attachment.former_role, attachment.port)
      .run();
}

void Store::remove_attachment(ServiceId service, AppId app) {
  db_->query("DELETE FROM service_attachments WHERE service_id = ? AND app_id = ?").with(service, app).run();
}

void Store::follow_attachments(std::int64_t group) {
  Transaction transaction(*db_);
  db_->query(
         "INSERT OR REPLACE INTO app_settings (app_id, name, sealed, secret, service_id)"
         " SELECT r.app_id, r.name, r.sealed, r.secret, r.service_id FROM release_settings r"
         " JOIN deployments d ON d.app_id = r.app_id AND d.number = r.number"
         " JOIN service_attachments a ON a.app_id = r.app_id AND a.service_id = r.service_id"
         " WHERE d.group_id = ?1 AND a.group_id = ?1")
      .with(group)
      .run();
  Query rows = db_->query("SELECT app_id FROM deployments WHERE group_id = ?");
  for (const auto app : read_all(rows.with(group), [](Query& row) { return row.integer(); })) {
    follow_attachments_of(app);
  }
  db_->query("UPDATE services SET group_id = NULL WHERE group_id = ?").with(group).run();
  transaction.commit();
}

void Store::follow_attachments_of(AppId app) {
  Transaction transaction(*db_);
  const std::string is_attached =
      "EXISTS (SELECT 1 FROM app_settings s WHERE s.app_id = service_attachments.app_id"
      " AND s.service_id = service_attachments.service_id)";
  // The account of its new release is the one that counts from now on.
  db_->query(
         "UPDATE service_attachments SET former_role = role, role = next_role, next_role = ''"
         " WHERE app_id = ? AND next_role <> '' AND " +
         is_attached)
      .with(app)
      .run();
  // The database of one that was attached stays when it leaves.
  db_->query(
         "UPDATE service_attachments SET group_id = NULL, state = 'attached', made_database = 0 WHERE app_id = ? AND " +
         is_attached)
      .with(app)
      .run();
  db_->query("UPDATE service_attachments SET group_id = NULL, state = 'leaving' WHERE app_id = ? AND NOT " +
             is_attached)
      .with(app)
      .run();
  transaction.commit();
}

void Store::undo_attachments(std::int64_t group) {
  Transaction transaction(*db_);
  db_->query(
         "UPDATE service_attachments SET former_role = next_role, next_role = '', group_id = NULL"
         " WHERE group_id = ? AND next_role <> ''")
      .with(group)
      .run();
  db_->query("UPDATE service_attachments SET group_id = NULL, state = 'leaving' WHERE group_id = ?").with(group).run();
  db_->query("UPDATE services SET group_id = NULL, state = 'destroying' WHERE group_id = ?").with(group).run();
  transaction.commit();
}

}  // namespace pushrod
