#include "operate/service_clients.hh"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "base/error.hh"
#include "operate/audit.hh"
#include "operate/jobs.hh"
#include "services/dumps.hh"

namespace pushrod {

namespace {

// Names of terminals as terminfo has them.
std::string terminal_name() {
  const char* variable = getenv("TERM");
  const std::string name = variable != nullptr ? variable : "";
  const auto may = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '.' || c == '_' || c == '+'; };
  return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, may) ? name : "dumb";
}

int run_client(const Server& server, ServiceClient client, const Attachment& attachment) {
  if (attachment.kind == Attachment::Kind::Terminal) client.environment["TERM"] = terminal_name();
  auto command = server.platform.engine.tool({server.service.name, client.argv, client.environment});
  const auto result = run_attached(command, attachment);
  return result.end == CommandResult::End::Exited ? result.code : 128 + result.code;
}

void check_keeps_data(const BackingService& service) {
  if (type_of(service).keeps_data()) return;
  throw UserError(fmt::format("{} keeps nothing: service {} has nothing to export, and takes nothing in",
                              type_of(service).description(), service.name.str()));
}

}  // namespace

int run_in_service(Session& session, const ServiceName& name, const std::vector<std::string>& words,
                   const Attachment& attachment) {
  const auto service = require_service(session, name, Right::Deploy);
  const auto platform = session.platform().services();
  const auto server = server_of(platform, service);
  return audited_job(session, {"", "service run", name.str() + " " + words.front()}, [&] {
    return run_client(server, {words, type_of(service).client_environment(server)}, attachment);
  });
}

int run_console(Session& session, const ServiceName& name, const std::string& database, const Attachment& attachment) {
  const auto service = require_service(session, name, Right::Deploy);
  const auto platform = session.platform().services();
  const auto server = server_of(platform, service);
  const auto& type = type_of(service);
  auto chosen = database;
  if (chosen.empty()) {
    if (const auto all = type.databases(server); all.size() == 1) chosen = all.front();
  }
  return audited_job(session, {"", "service console", name.str()},
                     [&] { return run_client(server, type.console(server, chosen), attachment); });
}

void export_service(Session& session, const ServiceName& name, const std::string& database, int output) {
  const auto service = require_service(session, name, Right::Deploy);
  check_keeps_data(service);
  audited(session, {"", "service export", name.str() + (database.empty() ? "" : " " + database)},
          [&] { dump_service(session.platform().services(), service, database, output); });
}

void import_service(Session& session, const ServiceName& name, const std::string& database, int input) {
  const auto service = require_service(session, name, Right::Deploy);
  check_keeps_data(service);
  audited(session, {"", "service import", name.str() + (database.empty() ? "" : " " + database)}, [&] {
    const auto platform = session.platform().services();
    const auto lock = lock_service(platform, name, "the import");
    const auto now = session.store().service(service.id);
    if (!now) throw UserError(fmt::format("service {} was destroyed in the meantime", name.str()));
    restore_service(platform, *now, database, input);
  });
}

}  // namespace pushrod
