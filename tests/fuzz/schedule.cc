// A cron job's schedule, and when it is due.
#include "model/schedule.hh"
#include "fuzz.hh"

namespace pushrod {

void fuzz(std::string_view bytes) {
  may_refuse([&] {
    const auto schedule = Schedule::parse(bytes);
    const std::chrono::local_time<std::chrono::minutes> from{std::chrono::minutes{29'000'000}};
    const auto first = schedule.first_match(from, from + std::chrono::hours{48});
    if (first) require(*first >= from && *first < from + std::chrono::hours{48}, "a match lies in the range");
    return 0;
  });
}

}  // namespace pushrod
