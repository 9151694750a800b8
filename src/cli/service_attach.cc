// service attach, detach, credentials: which apps use a service.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "cli/change.hh"
#include "cli/grammar.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
#include "operate/attachments.hh"
#include "services/ports.hh"

namespace pushrod {

namespace {

struct AttachWords {
  std::string service, app, prefix, database;
  bool rotate = false, json = false, tcp = false;
};

int carry_out(Context& context, const AttachmentChange& result, const std::string& saved) {
  if (result.change) return run_change(context, *result.change);
  print(saved);
  return kExitOk;
}

void tell_of_port(Context& context, const ServiceName& service, const std::string& app) {
  for (const auto& account : service_accounts(context, service)) {
    if (account.app != app || !account.port) continue;
    print(port_warning(service, account) + "\n");
  }
}

int attach(Context& context, const AttachWords& words) {
  const auto service = ServiceName::parse(words.service);
  const auto result =
      attach_service(context, service, AppName::parse(words.app), words.prefix, words.database, words.tcp);
  const auto code =
      carry_out(context, result,
                fmt::format("App {} is attached to service {} with its first release.\n", words.app, words.service));
  if (words.tcp && code == kExitOk) tell_of_port(context, service, words.app);
  return code;
}

int detach(Context& context, const AttachWords& words) {
  const auto result = detach_service(context, ServiceName::parse(words.service), AppName::parse(words.app));
  return carry_out(context, result,
                   fmt::format("App {} is no longer attached to service {}.\n", words.app, words.service));
}

int show_accounts(const std::vector<ServiceAttachment>& accounts, bool json) {
  auto values = Json::array();
  Table table({"APP", "ACCOUNT", "DATABASE", "SETTINGS"});
  for (const auto& account : accounts) {
    values.push_back({{"app", account.app},
                      {"account", account.role},
                      {"database", text_or_null(account.database)},
                      {"prefix", account.prefix}});
    table.add({account.app, account.role, account.database.empty() ? "-" : account.database, account.prefix + "_URL"});
  }
  if (json) {
    print_json(values);
  } else {
    print(table.is_empty() ? "No app is attached.\n" : table.str());
  }
  return kExitOk;
}

int credentials(Context& context, const AttachWords& words) {
  const auto service = ServiceName::parse(words.service);
  auto accounts = service_accounts(context, service);
  if (!words.app.empty()) {
    std::erase_if(accounts, [&](const ServiceAttachment& account) { return account.app != words.app; });
  }
  if (!words.rotate) return show_accounts(accounts, words.json);
  if (!words.app.empty()) accounts = {{.app = words.app}};
  if (accounts.empty()) throw UserError(fmt::format("no app is attached to service {}", words.service));
  for (const auto& account : accounts) {
    const auto result = rotate_credentials(context, service, AppName::parse(account.app));
    const auto code =
        carry_out(context, result, fmt::format("App {} has new credentials with its first release.\n", account.app));
    if (code != kExitOk) return code;
  }
  return kExitOk;
}

}  // namespace

void add_service_attach_verbs(Grammar& grammar) {
  const auto words = std::make_shared<AttachWords>();
  grammar
      .verb("service", "attach", "give an app an account in a service, in a new release",
            [words](Context& context) { return attach(context, *words); })
      .needs("SERVICE", words->service, "the service")
      .app(words->app)
      .option("--as", words->prefix, "its settings begin with this: REPORTS gives REPORTS_URL")
      .option("--database", words->database, "the database to use (default: the app's own)")
      .flag("--tcp", words->tcp, "by a port of 127.0.0.1, for clients that cannot use a socket (JDBC)");
  grammar
      .verb("service", "detach", "take the account away, in a new release; the data stays",
            [words](Context& context) { return detach(context, *words); })
      .needs("SERVICE", words->service, "the service")
      .app(words->app);
  grammar
      .verb("service", "credentials", "which accounts apps have in a service; or new ones",
            [words](Context& context) { return credentials(context, *words); })
      .needs("SERVICE", words->service, "the service")
      .option("--app", words->app, "of this app alone")
      .flag("--rotate", words->rotate, "give each app another account with another password, in a new release")
      .json(words->json);
}

}  // namespace pushrod
