// What s6's tools print.
#include "supervise/s6_answers.hh"
#include "fuzz.hh"

namespace pushrod {

void fuzz(std::string_view bytes) {
  static_cast<void>(parse_svstat(bytes));
  static_cast<void>(parse_svdt(bytes));
}

}  // namespace pushrod
