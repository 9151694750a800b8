// The file that tells pushrod-shim (src/shim) what to run: `spec` in a service directory, mode 0600.
// Pure. The format is told in src/shim/README.md: NUL-terminated "key=value" strings.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "os/command.hh"
#include "sandbox/sandbox.hh"

namespace pushrod {

// The shim replaces itself by the program: for Pushrod's own services. `keep_listeners`: it keeps the sockets that
// clients connect to.
std::string render_exec_spec(const std::vector<std::string>& argv, const Environment& environment, bool keep_listeners);

// The shim stays: takes the instance's lock, starts bwrap, passes stop signals on to every process of the instance, and
// ends as the app did.
std::string render_sandbox_spec(const Sandbox& sandbox);

// The same, with a second signal for what has not ended so long after the stop signal.
std::string with_second_stop(std::string spec, int number, Milliseconds after);

// The same for a job, which keeps the descriptors that it is started with.
std::string render_job_spec(const Sandbox& sandbox);

}  // namespace pushrod
