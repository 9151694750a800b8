// How lines of logs are shown: `logs` and `service logs`.
#pragma once

#include "logs/app_logs.hh"

namespace pushrod {

// Prints them for people, or a JSON object a line; notes go to standard error.
LogReceiver log_receiver(bool json);

// A JSON value as one line.
std::string one_line(const Json& value);

}  // namespace pushrod
