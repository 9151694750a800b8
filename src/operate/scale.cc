#include "operate/scale.hh"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "operate/audit.hh"
#include "os/file_lock.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

std::optional<Release> live_release(Session& session, const App& app) {
  return app.live ? session.store().release(app.id, *app.live) : std::nullopt;
}

// Counts that are kept for types that the live release lacks.
Counts pending_counts(Session& session, const App& app, const std::optional<Release>& release) {
  auto counts = session.store().counts(app.id);
  if (release) {
    for (const auto& process : release->processes) counts.erase(process.type);
  }
  return counts;
}

// A type that the live release lacks is probably a misspelling. It is not with 0, which keeps a type that is about to
// be pushed from starting.
bool is_for_later(const std::optional<Release>& release, const Counts& pending, const ProcessType& type,
                  std::uint32_t count) {
  if (!release) return true;
  return find_process(*release, type) == nullptr && (count == 0 || pending.contains(type));
}

std::string words_of(const Counts& counts) {
  std::vector<std::string> words;
  for (const auto& [type, count] : counts) words.push_back(fmt::format("{}={}", type.str(), count));
  return join(words, ", ");
}

void keep_counts(Session& session, const App& app, const Counts& counts) {
  audited(session, {app.name.str(), "scale", words_of(counts) + " (for a release that has the type)"}, [&] {
    make_directory(session.layout().locks());
    const auto lock = FileLock::acquire(session.layout().app_lock(app.name));
    lock.announce("a change of the scale of " + app.name.str());
    session.store().set_counts(app.id, counts);
  });
}

// "web 1 to 3"; empty when nothing changes.
std::string difference(const Process& process, std::uint32_t count) {
  if (process.count != count) return fmt::format("{} {} to {}", process.type.str(), process.count, count);
  if (process.is_scaled) return {};
  return fmt::format("{} stays {}, regardless of the app's files", process.type.str(), count);
}

App require_running(Session& session, const AppName& name, const std::string& to_do_what) {
  auto app = session.require_app(name, Right::Deploy);
  require_deployed(app, to_do_what);
  return app;
}

}  // namespace

Json to_json(const ScaleLine& line) {
  return {{"type", line.type}, {"count", line.count}, {"scaled", line.is_scaled}, {"pending", line.is_pending}};
}

std::vector<ScaleLine> scale_of(Session& session, const AppName& name) {
  const auto app = session.require_app(name, Right::Deploy);
  const auto release = live_release(session, app);
  std::vector<ScaleLine> lines;
  if (release) {
    for (const auto& process : release->processes) {
      lines.push_back({process.type.str(), process.count, process.is_scaled, false});
    }
  }
  for (const auto& [type, count] : pending_counts(session, app, release)) {
    lines.push_back({type.str(), count, true, true});
  }
  return lines;
}

ScaleChange scale(Session& session, const AppName& name, const Counts& counts) {
  const auto app = session.require_app(name, Right::Deploy);
  const auto release = live_release(session, app);
  const auto pending = pending_counts(session, app, release);
  ScaleChange result;
  Counts now;
  std::vector<std::string> differences;
  for (const auto& [type, count] : counts) {
    if (is_for_later(release, pending, type, count)) {
      result.kept.emplace(type, count);
      continue;
    }
    now.emplace(type, count);
    differences.push_back(difference(require_process(*release, type), count));
  }
  std::erase(differences, "");
  if (!result.kept.empty()) keep_counts(session, app, result.kept);
  if (differences.empty()) return result;
  result.change = change_of(session, app, DeploymentKind::Scale);
  result.change->counts = std::move(now);
  result.change->detail = join(differences, ", ");
  return result;
}

Change stop_change(Session& session, const AppName& name) {
  const auto app = require_running(session, name, "stop");
  if (app.stopped) {
    throw UserError(fmt::format("app {} is already stopped", name.str()),
                    fmt::format("run it again: start {}", name.str()));
  }
  return change_of(session, app, DeploymentKind::Stop);
}

Change start_change(Session& session, const AppName& name) {
  const auto app = require_running(session, name, "start");
  if (!app.stopped) {
    throw UserError(fmt::format("app {} is not stopped", app.name.str()),
                    fmt::format("new instances of it: restart {}", app.name.str()));
  }
  return change_of(session, app, DeploymentKind::Start);
}

Change restart_change(Session& session, const AppName& name, const std::optional<ProcessType>& only) {
  const auto app = require_running(session, name, "restart");
  if (app.stopped) {
    throw UserError(fmt::format("app {} is stopped", app.name.str()), fmt::format("run it: start {}", app.name.str()));
  }
  auto change = change_of(session, app, DeploymentKind::Restart);
  if (!only) return change;
  const auto release = session.store().release(app.id, *app.live);
  if (require_process(*release, *only).count == 0) {
    throw UserError(fmt::format("the scale of {} is {}=0: there is nothing to restart", app.name.str(), only->str()),
                    fmt::format("scale {} {}=1", app.name.str(), only->str()));
  }
  change.only = only;
  change.detail = only->str();
  return change;
}

}  // namespace pushrod
