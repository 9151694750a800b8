// The words for what becomes of requests.
#include "model/traffic.hh"

#include "model/words.hh"

namespace pushrod {

namespace {
constexpr Words<TrafficMode, 5> kModes{"mode of traffic",
                                       {{{TrafficMode::Serve, "served"},
                                         {TrafficMode::Stopped, "stopped"},
                                         {TrafficMode::Maintenance, "maintenance"},
                                         {TrafficMode::Hold, "held"},
                                         {TrafficMode::Asleep, "asleep"}}}};
}  // namespace

std::string_view to_string(TrafficMode mode) { return kModes.word(mode); }

}  // namespace pushrod
