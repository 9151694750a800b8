// service list, info, logs, start, stop, restart, destroy: databases and the like.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/grammar.hh"
#include "cli/log_output.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
#include "logs/service_logs.hh"
#include "operate/services.hh"

namespace pushrod {

namespace {

struct ServiceWords {
  std::string name;
  LogQuery query;
  bool json = false, yes = false, follow = false;
  ServiceName service() const { return ServiceName::parse(name); }
};

std::string shown_apps(const ServiceView& view) {
  std::vector<std::string> apps;
  for (const auto& attachment : view.attachments) apps.push_back(attachment.app);
  return apps.empty() ? "-" : join(apps, ", ");
}

std::string shown_disk(const ServiceView& view) {
  return format_bytes(view.disk) + (view.disk_limit == 0 ? "" : " of " + format_bytes(view.disk_limit));
}

std::string shown_processors(const ServiceView& view) {
  if (view.service.cpu_percent == 0) return {};
  return fmt::format("  cpu       {} of a processor{}\n", view.service.cpu_percent / 100.0,
                     view.limits_processors ? "" : ", which is not enforced here: Pushrod has no cgroups");
}

int list(Context& context, const ServiceWords& words) {
  auto values = Json::array();
  Table table({"SERVICE", "TYPE", "STATE", "MEMORY", "DATA", "APPS"});
  for (const auto& view : list_services(context)) {
    values.push_back(to_json(view));
    table.add({view.service.name.str(), shown_type(view.service), std::string(to_string(view.look.condition)),
               fmt::format("{} of {}", format_bytes(view.memory), format_bytes(view.service.memory)), shown_disk(view),
               shown_apps(view)});
  }
  if (words.json) {
    print_json(values);
  } else {
    print(table.is_empty() ? "There are no services. To create one: service create postgres\n" : table.str());
  }
  return kExitOk;
}

int info(Context& context, const ServiceWords& words) {
  const auto view = show_service(context, words.service());
  const auto& look = view.look;
  if (words.json) return print_json(to_json(view)), kExitOk;
  print(
      fmt::format("{}\n  type      {}\n  state     {}{}\n  restarts  {}\n  memory    {} of {}\n  data      {}{}\n"
                  "{}  created   {} UTC\n",
                  view.service.name.str(), shown_type(view.service), to_string(look.condition),
                  look.since > Milliseconds{0} ? ", for " + format_duration(look.since) : "", look.restarts,
                  format_bytes(view.memory), format_bytes(view.service.memory), shown_disk(view),
                  view.service.former_version.empty()
                      ? ""
                      : "; what was there before is kept (version " + view.service.former_version + ")",
                  shown_processors(view), format_time(view.service.created)));
  for (const auto& attachment : view.attachments) {
    print(fmt::format(
        "  app       {}, as {}_URL{}{}{}\n", attachment.app, attachment.prefix,
        attachment.database.empty() ? "" : ", database " + attachment.database,
        attachment.port ? fmt::format(", on 127.0.0.1:{}", *attachment.port) : "",
        attachment.state == AttachmentState::Attached ? "" : fmt::format(" ({})", to_string(attachment.state))));
  }
  for (const auto& [app, state] : view.backups) {
    print(fmt::format("  backup    of {}: {}\n", app, escaped(described(state))));
  }
  if (view.own_backup) print(fmt::format("  backup    {}\n", escaped(described(*view.own_backup))));
  if (!look.problem.empty()) print(fmt::format("{}.\n", escaped(look.problem, 1000)));
  return kExitOk;
}

int logs(Context& context, const ServiceWords& words) {
  const auto receiver = log_receiver(words.json);
  ServiceLogs log(context, words.service(), words.query);
  log.read(receiver);
  if (words.follow) log.follow(receiver);
  return kExitOk;
}

int change(Context& context, const ServiceWords& words, void (*verb)(Session&, const ServiceName&), const char* done) {
  verb(context, words.service());
  print(fmt::format("Service {} {}.\n", words.name, done));
  return kExitOk;
}

int destroy(Context& context, const ServiceWords& words) {
  const auto view = service_removal(context, words.service());
  if (!words.yes) {
    throw UserError(fmt::format("this deletes service {} ({}) and all its data, {}", words.name,
                                shown_type(view.service), format_bytes(view.disk)),
                    fmt::format("if you mean it: service destroy {} --yes", words.name));
  }
  return change(context, words, destroy_service, "is destroyed");
}

}  // namespace

void add_service_verbs(Grammar& grammar) {
  const auto words = std::make_shared<ServiceWords>();
  grammar.describe_group("service", "databases and the like, for apps");
  const auto verb = [&](const char* name, const char* help, std::function<int(Context&, const ServiceWords&)> action) {
    return grammar.verb("service", name, help, [=](Context& context) { return action(context, *words); });
  };
  const auto named = [&](const char* name, const char* help, std::function<int(Context&, const ServiceWords&)> action) {
    return verb(name, help, std::move(action)).needs("SERVICE", words->name, "the service");
  };
  const auto simple = [&](const char* name, const char* help, void (*act)(Session&, const ServiceName&),
                          const char* done) {
    named(name, help, [=](Context& context, const ServiceWords& given) { return change(context, given, act, done); });
  };
  verb("list", "all services that you may use", list).json(words->json);
  named("info", "one service, and the apps that are attached to it", info).json(words->json);
  named("logs", "what its server wrote", logs)
      .option("-n,--lines", words->query.lines, "the newest so many (default: 100)")
      .option("--since", words->query.since, "from this time on, or for so long: 10m")
      .option("--grep", words->query.grep, "only lines in which this regular expression is found")
      .flag("-f,--follow", words->follow, "go on with what is written from now on")
      .json(words->json);
  simple("start", "run it again after a stop", start_service, "runs");
  simple("stop", "stop it; its data stays", stop_service, "is stopped");
  simple("restart", "stop it and start it again", restart_service, "runs again");
  named("destroy", "delete a service with all its data", destroy).flag("--yes", words->yes, "do it without asking");
}

}  // namespace pushrod
