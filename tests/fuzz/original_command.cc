// The command of an SSH client, as the gate takes it apart.
#include "ssh/original_command.hh"
#include "fuzz.hh"

namespace pushrod {

void fuzz(std::string_view bytes) {
  may_refuse([&] { return parse_original_command(std::string(bytes)); });
}

}  // namespace pushrod
