// Lines of the router's access log, in which clients choose the most.
#include "router/access_log.hh"
#include "fuzz.hh"

namespace pushrod {

void fuzz(std::string_view bytes) {
  if (const auto line = parse_access_line(bytes)) static_cast<void>(line->text());
}

}  // namespace pushrod
