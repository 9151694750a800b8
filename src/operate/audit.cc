#include "operate/audit.hh"

#include <nlohmann/json.hpp>

#include "base/error.hh"

namespace pushrod {

namespace {

constexpr std::size_t kLongestOutcome = 500;

// An app of the same name that existed before was another one.
std::function<bool(const AuditEntry&)> visible_to(Session& session) {
  const auto& key = session.caller().key;
  if (!key || key->is_admin()) return [](const AuditEntry&) { return true; };
  std::map<std::string, WallTime> visible;
  for (const auto& app : session.visible_apps()) visible.emplace(app.name.str(), app.created);
  return [visible = std::move(visible)](const AuditEntry& entry) {
    const auto app = visible.find(entry.app);
    return app != visible.end() && entry.at >= app->second;
  };
}

}  // namespace

AuditRecords begin_audit(Session& session, const std::vector<AuditedChange>& parts) {
  const auto& caller = session.caller();
  AuditRecords records;
  for (const auto& part : parts) {
    records.push_back(session.store().begin_audit({.at = {},
                                                   .who = caller.author(),
                                                   .fingerprint = caller.key ? caller.key->fingerprint : "",
                                                   .address = caller.address,
                                                   .app = part.app,
                                                   .action = part.action,
                                                   .detail = part.detail,
                                                   .outcome = {}}));
  }
  return records;
}

void end_audit(Session& session, const AuditRecords& records, const std::string& outcome) {
  for (const auto record : records) session.store().end_audit(record, outcome.substr(0, kLongestOutcome));
}

void audited(Session& session, const std::vector<AuditedChange>& parts, const std::function<std::string()>& change) {
  const auto records = begin_audit(session, parts);
  try {
    end_audit(session, records, change());
  } catch (const Error& error) {
    end_audit(session, records, "failed: " + error.message());
    throw;
  }
}

void audited(Session& session, const AuditedChange& what, const std::function<void()>& change) {
  audited(session, std::vector{what}, [&] {
    change();
    return std::string(kDone);
  });
}

std::vector<AuditEntry> audit_entries(Session& session, const std::string& app, unsigned most) {
  const auto is_visible = visible_to(session);
  auto entries = session.store().audit(
      most, [&](const AuditEntry& entry) { return (app.empty() || entry.app == app) && is_visible(entry); });
  // What is written of an app that was destroyed remains, for those who may see all.
  if (entries.empty() && !app.empty()) session.require_app(AppName::parse(app), Right::See);
  return entries;
}

Json to_json(const AuditEntry& entry) {
  return {{"time", iso_time(entry.at)},
          {"who", entry.who},
          {"fingerprint", text_or_null(entry.fingerprint)},
          {"address", entry.address},
          {"app", text_or_null(entry.app)},
          {"action", entry.action},
          {"detail", text_or_null(entry.detail)},
          {"outcome", text_or_null(entry.outcome)}};
}

}  // namespace pushrod
