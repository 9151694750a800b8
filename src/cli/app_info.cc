// app info, check: one app, for people and, as an exit code, for monitoring.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/change.hh"
#include "cli/grammar.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
#include "model/source.hh"
#include "operate/app_views.hh"

namespace pushrod {

namespace {

std::string release_text(const AppInfo& info) {
  if (!info.release) return "  release    none: not deployed\n";
  const auto& release = *info.release;
  auto text = fmt::format("  release    {}  commit {}  since {}\n", release.number, abbreviated(release.commit),
                          format_time(release.created));
  if (info.watched) {
    text += fmt::format("             watched: if it keeps ending, release {} comes back\n", *info.watched);
  }
  if (!info.fallback.empty()) text += fmt::format("             {}\n", escaped(info.fallback));
  if (info.app.stopped) {
    text += fmt::format("             stopped{}; `start {}` runs it\n",
                        info.stop_reason.empty() ? "" : " because " + escaped(info.stop_reason), info.app.name.str());
  }
  for (const auto& process : release.processes) {
    text += fmt::format("  process    {} × {}: {}\n", process.type.str(), process.count, escaped(process.command, 200));
  }
  return text;
}

std::string source_text(const AppInfo& info) {
  std::string text;
  const auto& app = info.app;
  if (!app.path.empty()) text += fmt::format("  path       {}\n", escaped(app.path));
  if (!app.config.empty()) text += fmt::format("  config     {}\n", escaped(app.config));
  const auto source = info.release ? info.release->source : app.source();
  const auto root = root_of(source);
  if (root != source.path) text += fmt::format("  build root {}\n", root.empty() ? "." : escaped(root));
  return text;
}

std::string data_text(const AppInfo& info) {
  const auto size = [](const DiskUse& use) { return (use.complete ? "" : "more than ") + format_bytes(use.bytes); };
  auto text = fmt::format("  data       {}\n", size(info.data));
  for (const auto& service : info.services) {
    const auto& attachment = service.attachments.front();
    text += fmt::format("  service    {}: {}, {}; {}_URL{}\n", service.service.name.str(), shown_type(service.service),
                        to_string(service.look.condition), attachment.prefix,
                        attachment.database.empty() ? "" : ", database " + attachment.database);
  }
  if (!info.snapshots.empty()) {
    text += fmt::format("  snapshots  of {}, {}\n", counted(info.snapshots.size(), "release"), size(info.snapshot_use));
  }
  return text;
}

int show(Context& context, const std::string& name, bool json) {
  const auto info = app_info(context, AppName::parse(name));
  if (json) {
    print_json(to_json(info));
    return kExitOk;
  }
  auto text = fmt::format("{}\n  url        {}\n", name, info.url);
  if (!info.warning.empty()) text += fmt::format("             {}\n", info.warning);
  for (const auto& domain : info.domains) {
    text += fmt::format("             {}{}\n", domain.url,
                        domain.route.redirect_to ? " → " + domain.route.redirect_to->unicode() : "");
    if (!domain.warning.empty()) text += fmt::format("             {}\n", domain.warning);
  }
  text += fmt::format("  push to    {}  branch {}\n", info.push_url, escaped(info.app.branch.str()));
  text += fmt::format("  state      {}\n  requests   {}\n", info.condition.state, info.condition.traffic);
  for (const auto& problem : problems_of(info.condition)) text += fmt::format("             {}\n", problem);
  text += data_text(info);
  text += fmt::format("  backup     {}\n", escaped(described(info.backup)));
  text += source_text(info) + release_text(info);
  if (info.last) {
    const auto& last = info.last->deployment;
    text += fmt::format("  last       deployment {}: {}{}\n", last.number, shown_state(*info.last),
                        last.error.empty() ? "" : ", " + escaped(last.error));
  }
  print(text);
  return kExitOk;
}

int check(Context& context, const std::string& name, bool json) {
  const auto check = check_app(context, AppName::parse(name));
  const auto& condition = check.condition;
  const int code = condition.works() ? kExitOk : kExitRequest;
  if (json) {
    print_json(to_json(check));
    return code;
  }
  context.note_if_down();
  print(fmt::format("{} is {}; requests: {}; {} of {} running\n", name, condition.state, condition.traffic,
                    condition.running(), counted(condition.instances.size(), "instance")));
  for (const auto& problem : problems_of(condition)) print(fmt::format("  {}\n", problem));
  if (!check.fallback.empty()) print(fmt::format("  {}\n", escaped(check.fallback)));
  if (code != kExitOk && check.app.live && !check.app.stopped) print(fmt::format("Its output: logs {}\n", name));
  return code;
}

}  // namespace

void add_app_info_verbs(Grammar& grammar) {
  struct Words {
    std::string app;
    bool json = false;
  };
  const auto words = std::make_shared<Words>();
  grammar.verb("app", "info", "one app", [words](Context& context) { return show(context, words->app, words->json); })
      .app(words->app)
      .json(words->json);
  grammar
      .verb("app", "check", "whether an app works now; exit code 1 if it does not",
            [words](Context& context) { return check(context, words->app, words->json); })
      .app(words->app)
      .json(words->json);
}

}  // namespace pushrod
