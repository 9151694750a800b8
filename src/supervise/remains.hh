// What can be left of a service when a part of it has been killed.
// Used inside supervise/ only.
#pragma once

#include <filesystem>
#include <string>

#include "model/layout.hh"

namespace pushrod {

// An s6-supervise that finds this file when it starts does not start its service.
inline constexpr const char* kDownFile = "down";

// Where a service is rendered before it gets its place. The process that renders it holds the app's lock (`up`: the
// tree's), so a directory that is left there belongs to no process.
std::filesystem::path unfinished_service(const Layout& layout, const std::string& name);
// Removes the directory of a service, if there is one: gone at once, for a stop() that writes into it meanwhile.
// When this is killed, the next call for the service removes the rest.
void discard_service(const Layout& layout, const std::string& name);

// Ends the logger of a service that does not run, and the logger's s6-supervise, if they live. What the service has
// printed is written to the log first. Throws Error when they do not end.
void end_logger(const std::filesystem::path& service_directory);

}  // namespace pushrod
