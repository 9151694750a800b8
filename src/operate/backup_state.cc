// How it is with backups.
#include "operate/backup_state.hh"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.hh"
#include "deploy/backup.hh"
#include "deploy/backup_clock.hh"

namespace pushrod {

BackupState backup_state(Session& session, const BackupSubject& of) {
  BackupState state;
  const auto schedule = schedule_of(session.store(), of);
  state.is_scheduled = schedule.has_value();
  for (const auto& run : session.store().backup_runs(of)) {
    if (!run.is_good()) continue;
    state.last_good = run.started;
    state.target = run.target;
    break;
  }
  state.problem = backup_problem(session.store(), of, schedule, now());
  return state;
}

Json to_json(const BackupState& state) {
  return {{"last_good", state.last_good ? Json(iso_time(*state.last_good)) : Json(nullptr)},
          {"target", text_or_null(state.target)},
          {"scheduled", state.is_scheduled},
          {"problem", text_or_null(state.problem)}};
}

std::string described(const BackupState& state) {
  auto text =
      state.last_good ? fmt::format("{} UTC in {}", format_time(*state.last_good), state.target) : std::string("none");
  if (!state.problem.empty()) text += "; LAST RUN " + state.problem;
  if (!state.is_scheduled) text += "; not scheduled";
  return text;
}

}  // namespace pushrod
