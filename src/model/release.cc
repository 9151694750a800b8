// The process types of a release, and the words for what the database wants of an instance.
// The database and `--json` hold the words, so they do not change.
#include "model/release.hh"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hh"
#include "base/text.hh"
#include "model/words.hh"

namespace pushrod {

namespace {

constexpr Words<InstanceState, 6> kStates{"state of an instance",
                                          {{{InstanceState::Starting, "starting"},
                                            {InstanceState::Serving, "serving"},
                                            {InstanceState::Asleep, "asleep"},
                                            {InstanceState::Standby, "standby"},
                                            {InstanceState::Draining, "draining"},
                                            {InstanceState::Stopping, "stopping"}}}};

}  // namespace

const Process* find_process(const Release& release, const ProcessType& type) {
  const auto found = std::find_if(release.processes.begin(), release.processes.end(),
                                  [&](const Process& process) { return process.type == type; });
  return found == release.processes.end() ? nullptr : &*found;
}

const Process& require_process(const Release& release, const ProcessType& type) {
  if (const auto* process = find_process(release, type)) return *process;
  std::vector<std::string> types;
  for (const auto& process : release.processes) types.push_back(process.type.str());
  throw UserError(fmt::format("{} has no process type {}", release.app.str(), type.str()),
                  "it has: " + join(types, ", "));
}

std::string_view to_string(InstanceState state) { return kStates.word(state); }
InstanceState instance_state_from(std::string_view text) { return kStates.value(text); }

}  // namespace pushrod
