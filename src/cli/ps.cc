// ps: the instances, as they are wanted and as they are, and the jobs.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/grammar.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
#include "operate/processes.hh"
#include "operate/services.hh"

namespace pushrod {

namespace {

// "20001, 9394 is 20002"
std::string shown_ports(const Instance& instance) {
  std::vector<std::string> words;
  if (instance.port) words.push_back(std::to_string(*instance.port));
  for (const auto& [listed, leased] : instance.ports) words.push_back(fmt::format("{} is {}", listed, leased));
  return words.empty() ? "-" : join(words, ", ");
}

void add(Table& table, const InstanceView& view) {
  const auto state =
      view.retry_in ? fmt::format("{}, retry in {}", view.state, format_duration(*view.retry_in)) : view.state;
  table.add({view.instance.name.str(), state, view.pid != 0 ? std::to_string(view.pid) : "-",
             shown_ports(view.instance), view.up_for ? format_duration(*view.up_for) : "-",
             std::to_string(view.restarts), view.last_exit.empty() ? "-" : view.last_exit});
}

void add(Table& table, const JobView& view) {
  table.add({view.job.instance().str(), view.state, view.pid != 0 ? std::to_string(view.pid) : "-", "-",
             format_duration(view.age), "0", "-"});
}

// A table of its own; empty without services.
std::string shown_services(Context& context, const std::optional<AppName>& app) {
  Table table({"SERVICE", "TYPE", "STATE", "MEMORY", "UP FOR", "RESTARTS", "APPS"});
  for (const auto& view : services_of(context, app)) {
    std::vector<std::string> apps;
    for (const auto& attachment : view.attachments) apps.push_back(attachment.app);
    table.add({view.service.name.str(), shown_type(view.service), std::string(to_string(view.look.condition)),
               format_bytes(view.memory), format_duration(view.look.since), std::to_string(view.look.restarts),
               join(apps, ", ")});
  }
  return table.is_empty() ? std::string{} : "\n" + table.str();
}

int show_processes(Context& context, const std::string& app, bool json) {
  const auto only = app.empty() ? std::nullopt : std::optional(AppName::parse(app));
  const auto found = processes(context, only);
  auto list = Json::array();
  Table table({"INSTANCE", "STATE", "PID", "PORT", "UP FOR", "RESTARTS", "LAST EXIT"});
  const auto add_all = [&](const auto& views) {
    for (const auto& view : views) {
      list.push_back(to_json(view));
      add(table, view);
    }
  };
  add_all(found.instances);
  add_all(found.jobs);
  if (json) {
    print_json(list);
  } else {
    context.note_if_down();
    print((table.is_empty() ? "Nothing is running.\n" : table.str()) + shown_services(context, only));
  }
  return kExitOk;
}

}  // namespace

void add_ps_verb(Grammar& grammar) {
  struct Words {
    std::string app;
    bool json = false;
  };
  const auto words = std::make_shared<Words>();
  grammar
      .verb("ps", "the instances",
            [words](Context& context) { return show_processes(context, words->app, words->json); })
      .takes("APP", words->app, "only this app's")
      .json(words->json);
}

}  // namespace pushrod
