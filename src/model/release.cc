// The words for what the database wants of an instance.
// Floor 2. The database and `--json` hold them, so they do not change.
#include "model/release.hh"

#include "model/words.hh"

namespace pushrod {

namespace {

constexpr Words<InstanceState, 5> kStates{"state of an instance",
                                          {{{InstanceState::Starting, "starting"},
                                            {InstanceState::Serving, "serving"},
                                            {InstanceState::Asleep, "asleep"},
                                            {InstanceState::Draining, "draining"},
                                            {InstanceState::Stopping, "stopping"}}}};

}  // namespace

std::string_view to_string(InstanceState state) { return kStates.word(state); }
InstanceState instance_state_from(std::string_view text) { return kStates.value(text); }

}  // namespace pushrod
