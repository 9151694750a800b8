// service run, console, export, import: programs beside a service, and its dump.
#include <unistd.h>

#include "base/error.hh"
#include "cli/grammar.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
#include "operate/service_clients.hh"

namespace pushrod {

namespace {

struct ClientWords {
  std::string name, database;
  std::vector<std::string> command;
  ServiceName service() const { return ServiceName::parse(name); }
};

Attachment own_streams() {
  Attachment attachment;
  const bool at_terminal = is_terminal(STDIN_FILENO) && is_terminal(STDOUT_FILENO);
  attachment.kind = at_terminal ? Attachment::Kind::Terminal : Attachment::Kind::Pipes;
  return attachment;
}

int run_words(Context& context, const ClientWords& words) {
  require_service(context, words.service(), Right::Deploy);
  if (words.command.empty()) {
    throw UsageError("missing command", "usage: service run SERVICE -- COMMAND [ARGS…]");
  }
  return run_in_service(context, words.service(), words.command, own_streams());
}

int export_words(Context& context, const ClientWords& words) {
  if (is_terminal(STDOUT_FILENO)) {
    throw UsageError("a dump is no text for a terminal", "usage: service export SERVICE > FILE");
  }
  export_service(context, words.service(), words.database, STDOUT_FILENO);
  return kExitOk;
}

int import_words(Context& context, const ClientWords& words) {
  if (is_terminal(STDIN_FILENO)) throw UsageError("missing dump", "usage: service import SERVICE < FILE");
  import_service(context, words.service(), words.database, STDIN_FILENO);
  print(words.name + ": imported.\n");
  return kExitOk;
}

}  // namespace

void add_service_client_verbs(Grammar& grammar) {
  const auto words = std::make_shared<ClientWords>();
  grammar
      .verb(
          "service", "console", "psql, mariadb, redis-cli or the like, as the service's administrator",
          [words](Context& context) { return run_console(context, words->service(), words->database, own_streams()); })
      .needs("SERVICE", words->name, "the service")
      .option("--database", words->database, "of several databases, this one");
  grammar
      .verb("service", "run", "run a program beside the service, as its administrator",
            [words](Context& context) { return run_words(context, *words); })
      .needs("SERVICE", words->name, "the service")
      .takes_rest("COMMAND", words->command, "a program and its arguments");
  grammar
      .verb("service", "export", "write a dump of a database to standard output",
            [words](Context& context) { return export_words(context, *words); })
      .needs("SERVICE", words->name, "the service")
      .option("--database", words->database, "of several databases, this one");
  grammar
      .verb("service", "import", "read a dump in place of what a database holds, all or nothing",
            [words](Context& context) { return import_words(context, *words); })
      .needs("SERVICE", words->name, "the service")
      .option("--database", words->database, "of several databases, this one");
}

}  // namespace pushrod
