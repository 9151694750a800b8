// The command of a job, as the database keeps it.
#include "fuzz.hh"
#include "model/job.hh"

namespace pushrod {

void fuzz(std::string_view bytes) {
  may_refuse([&] {
    const auto command = command_from_json(std::string(bytes));
    require(command_from_json(command_to_json(command)) == command, "a command is kept byte for byte");
    return shown_command(command);
  });
}

}  // namespace pushrod
