// The words for the condition of an instance.
#include "engine/engine.hh"

#include "model/words.hh"

namespace pushrod {

namespace {

constexpr Words<Condition, 4> kConditions{"condition of an instance",
                                          {{{Condition::Running, "running"},
                                            {Condition::Starting, "starting"},
                                            {Condition::Crashing, "crashing"},
                                            {Condition::Down, "down"}}}};

}  // namespace

std::string_view to_string(Condition condition) { return kConditions.word(condition); }

}  // namespace pushrod
