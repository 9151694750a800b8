// Writing down who changes what, and showing it: audit.
#include "cli/audited.hh"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/grammar.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"

namespace pushrod {

namespace {

constexpr std::string_view kDone = "done";
constexpr std::size_t kLongestOutcome = 500;

Json json_of(const AuditEntry& entry) {
  const auto or_null = [](const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); };
  return {{"time", iso_time(entry.at)},
          {"who", entry.who},
          {"fingerprint", or_null(entry.fingerprint)},
          {"address", entry.address},
          {"app", or_null(entry.app)},
          {"action", entry.action},
          {"detail", or_null(entry.detail)},
          {"outcome", or_null(entry.outcome)}};
}

// An administrator sees everything. Others see what happened to the apps that they may see, since these were made: an
// app of the same name before them was somebody else's.
std::function<bool(const AuditEntry&)> visible_to(Context& context) {
  const auto& key = context.caller().key;
  if (!key || key->is_admin()) return [](const AuditEntry&) { return true; };
  std::map<std::string, WallTime> visible;
  for (const auto& app : context.store().apps()) {
    if (context.may(app.name, Right::See)) visible.emplace(app.name.str(), app.created);
  }
  return [visible = std::move(visible)](const AuditEntry& entry) {
    const auto app = visible.find(entry.app);
    return app != visible.end() && entry.at >= app->second;
  };
}

std::vector<AuditEntry> entries_of(Context& context, const std::string& app, unsigned most) {
  const auto is_visible = visible_to(context);
  auto entries = context.store().audit(
      most, [&](const AuditEntry& entry) { return (app.empty() || entry.app == app) && is_visible(entry); });
  // What is written of an app that was destroyed remains, for those who may see all.
  if (entries.empty() && !app.empty()) context.require_app(app, Right::See);
  return entries;
}

int audit(Context& context, const std::string& app, unsigned most, bool json) {
  auto list = Json::array();
  Table table({"TIME (UTC)", "BY", "FROM", "APP", "ACTION", "DETAIL", "OUTCOME"});
  for (const auto& entry : entries_of(context, app, most)) {
    list.push_back(json_of(entry));
    const auto shown = [](const std::string& text) { return text.empty() ? std::string("-") : text; };
    table.add({format_time(entry.at), entry.who, entry.address, shown(entry.app), entry.action, shown(entry.detail),
               shown(entry.outcome)});
  }
  if (json) {
    print_json(list);
  } else {
    print(table.is_empty() ? "Nothing has been changed.\n" : table.str());
  }
  return kExitOk;
}

}  // namespace

std::int64_t begin_audit(Context& context, const AuditedChange& what) {
  const auto& caller = context.caller();
  return context.store().begin_audit({.at = {},
                                      .who = caller.author(),
                                      .fingerprint = caller.key ? caller.key->fingerprint : "",
                                      .address = caller.address,
                                      .app = what.app,
                                      .action = what.action,
                                      .detail = what.detail,
                                      .outcome = {}});
}

void end_audit(Context& context, std::int64_t record, const std::string& outcome) {
  context.store().end_audit(record, outcome.substr(0, kLongestOutcome));
}

int audited(Context& context, const AuditedChange& what, const std::function<int()>& change) {
  return audited(context, std::vector{what}, change);
}

int audited(Context& context, const std::vector<AuditedChange>& parts, const std::function<int()>& change) {
  std::vector<std::int64_t> records;
  records.reserve(parts.size());
  for (const auto& part : parts) records.push_back(begin_audit(context, part));
  const auto end = [&](const std::string& outcome) {
    for (const auto record : records) end_audit(context, record, outcome);
  };
  try {
    const int code = change();
    end(code == kExitOk ? std::string(kDone) : fmt::format("failed: exit code {}", code));
    return code;
  } catch (const Error& error) {
    end("failed: " + error.message());
    throw;
  }
}

void add_audit_verb(Grammar& grammar) {
  struct Words {
    std::string app;
    unsigned most = 20;
    bool json = false;
  };
  const auto words = std::make_shared<Words>();
  grammar
      .verb("audit", "who changed what, when and from where",
            [words](Context& context) { return audit(context, words->app, words->most, words->json); })
      .takes("APP", words->app, "only this app's")
      .option("-n", words->most, "how many at the most (default: 20)")
      .json(words->json);
}

}  // namespace pushrod
