// HAProxy's answers on its sockets.
#include "fuzz.hh"
#include "router/answers.hh"

namespace pushrod {

void fuzz(std::string_view bytes) {
  may_refuse([&] { return parse_processes(bytes); });
  may_refuse([&] { return parse_servers(bytes); });
  may_refuse([&] { return parse_maps(bytes); });
  may_refuse([&] { return parse_info(bytes); });
  may_refuse([&] { return parse_activity(bytes); });
  may_refuse([&] { return parse_requests(bytes); });
  may_refuse([&] { return complaints(bytes); });
}

}  // namespace pushrod
