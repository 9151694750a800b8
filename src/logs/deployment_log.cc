// The log of one deployment.
#include <fmt/format.h>
#include <sys/inotify.h>

#include <limits>

#include "base/error.hh"
#include "base/text.hh"
#include "logs/app_logs.hh"
#include "os/log_file.hh"
#include "os/log_watch.hh"

namespace pushrod {

namespace {

constexpr Milliseconds kLook{500};  // no event tells that a deployment has ended

Deployment require_deployment(Session& session, const App& app, ReleaseNumber number) {
  auto found = session.store().deployment(app.id, number);
  if (!found) {
    throw UserError(fmt::format("app {} has no deployment {}", app.name.str(), number),
                    fmt::format("`deployments {}` lists them", app.name.str()));
  }
  return std::move(*found);
}

}  // namespace

void read_deployment_log(Session& session, const AppName& name, const DeploymentLogQuery& query,
                         const std::function<void(const std::string&)>& line,
                         const std::function<void(const std::string&)>& note) {
  const auto app = session.require_app(name, Right::See);
  const LogFilter filter({}, query.grep);
  const auto file = session.layout().deployment_log(name, query.deployment);
  LogWatch watch;
  std::vector<LogPart> log(1);
  std::size_t most = query.lines.value_or(std::numeric_limits<unsigned>::max());  // of what was written before
  bool is_last_look = false;
  do {
    // The state is read before the log: once it is final, the log is complete.
    const auto deployment = require_deployment(session, app, query.deployment);
    is_last_look = !query.follow || is_final(deployment.state);
    watch.add(file, IN_MODIFY);
    if (!log.front().file) log.front().file = open_log(file);
    log.front().grows = !is_last_look;
    const auto text = log.front().file ? read_parts(log) : LogText{};
    if (text.is_partial) {
      note(fmt::format("older lines are left out: the last {} are read", format_bytes(kMostLogRead)));
    }
    auto lines = lines_of(text.lines);
    std::erase_if(lines, [&](const std::string& each) { return !filter.matches(each); });
    const auto skipped = lines.size() > most ? lines.size() - most : 0;
    for (auto i = skipped; i < lines.size(); ++i) line(lines[i]);
    if (!lines.empty()) most = lines.max_size();
  } while (!is_last_look && watch.wait(kLook));
}

}  // namespace pushrod
