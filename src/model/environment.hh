// The environment of an app's programs: the one place where it is composed, for instances, jobs (`run`, cron), builds
// and release commands.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "os/command.hh"

namespace pushrod {

// Each layer wins over those before it:
//   1. the base: PATH, LANG, HOME; in a build the caches of its tools, which lie in /cache
//   2. administrator: [build.environment] of server.toml, in builds only
//   3. builder: what the app's language needs (NODE_ENV, PYTHONUNBUFFERED, its PATH, …)
//   4. settings: what the app's operator has set, opened. They win over every default of the layers above
//   5. own: what only the platform knows (APP, RELEASE, PORT, …). No setting may have such a name (why_reserved)
// In a build, which has no /data, a HOME there gives way to the private one. The XDG directories follow the HOME that
// results, unless a layer names them.
struct EnvironmentLayers {
  enum class For { Process, Release, Build };
  For use = For::Process;
  Environment caches{};  // of a build's tools: a part of the base
  Environment administrator{};
  Environment builder{};
  Environment settings{};
  Environment own{};
};
Environment compose(const EnvironmentLayers& layers);

// "first:/usr/local/bin:/usr/bin:/bin"
std::string path_variable(const std::string& first = {});

// A directory in the sandbox's /tmp: private, empty, made before the command starts (src/shim).
inline constexpr std::string_view kHome = "/tmp/home";

// Why no setting may have this name ("Pushrod sets it itself"); absent when one may. A setting is refused where it is
// made, and never accepted and then overridden by the platform or by the shell that runs the command.
std::optional<std::string> why_reserved(std::string_view name);

// Throws UserError for a reserved name.
void check_not_reserved(std::string_view name);

// Throws UserError for a value that this variable cannot have: a HOME must be an absolute path.
void check_variable(std::string_view name, std::string_view value);

}  // namespace pushrod
