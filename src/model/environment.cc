// Puts environments together, and knows the names that are not an app's to set.
#include "model/environment.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/error.hh"
#include "base/text.hh"

namespace pushrod {

namespace {

constexpr std::array<std::string_view, 8> kOwn{"PATH",    "PORT",     "APP",        "RELEASE",
                                               "PROCESS", "INSTANCE", "GIT_COMMIT", "DATA_DIR"};

// bash and dash give these a value of their own, or take them out of the environment, when they start.
constexpr std::array<std::string_view, 23> kOfTheShell{"_",
                                                       "BASH",
                                                       "BASHOPTS",
                                                       "BASHPID",
                                                       "BASH_ARGV0",
                                                       "BASH_COMMAND",
                                                       "BASH_EXECUTION_STRING",
                                                       "BASH_SUBSHELL",
                                                       "HISTCMD",
                                                       "IFS",
                                                       "LINENO",
                                                       "OLDPWD",
                                                       "OPTERR",
                                                       "OPTIND",
                                                       "PPID",
                                                       "PS1",
                                                       "PS2",
                                                       "PWD",
                                                       "RANDOM",
                                                       "SHELLOPTS",
                                                       "SHLVL",
                                                       "EPOCHREALTIME",
                                                       "EPOCHSECONDS"};

template <class List>
bool has(const List& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

// PORT_9394: the leased number of a further port.
bool names_a_port(std::string_view name) {
  constexpr std::string_view kPrefix = "PORT_";
  return name.starts_with(kPrefix) && parse_unsigned(name.substr(kPrefix.size())).has_value();
}

// The meaning of a variable, independent of its name: npm reads npm_config_* in any case, and has several names for
// whether development dependencies are installed. A setting replaces a default that says something else about the same.
std::string meaning(std::string name) {
  constexpr std::string_view kNpm = "npm_config_";
  std::string folded = name;
  for (char& character : folded) {
    if (character >= 'A' && character <= 'Z') character = static_cast<char>(character - 'A' + 'a');
  }
  if (!folded.starts_with(kNpm)) return name;
  constexpr std::array<std::string_view, 6> kWhich{"include", "omit", "only", "also", "production", "dev"};
  return has(kWhich, std::string_view(folded).substr(kNpm.size())) ? "npm_config_include" : folded;
}

void put(Environment& environment, const Environment& layer) {
  if (layer.empty()) return;
  std::set<std::string> said;
  for (const auto& [name, value] : layer) said.insert(meaning(name));
  std::erase_if(environment, [&](const auto& variable) { return said.contains(meaning(variable.first)); });
  environment.insert(layer.begin(), layer.end());
}

Environment base(EnvironmentLayers::For use, const Environment& caches) {
  Environment base{{"HOME", std::string(kHome)}, {"LANG", "C.UTF-8"}, {"PATH", path_variable()}};
  if (use == EnvironmentLayers::For::Build) {
    base["XDG_CACHE_HOME"] = "/cache";
    base.insert(caches.begin(), caches.end());
  }
  return base;
}

bool is_below_data(std::string_view path) { return path == "/data" || path.starts_with("/data/"); }

// Those of the XDG Base Directory Specification. The one for sockets is not in HOME, which instances may share.
void add_xdg_directories(Environment& environment) {
  std::string home = environment["HOME"];
  if (home.ends_with('/')) home.pop_back();
  environment.emplace("XDG_CONFIG_HOME", home + "/.config");
  environment.emplace("XDG_DATA_HOME", home + "/.local/share");
  environment.emplace("XDG_STATE_HOME", home + "/.local/state");
  environment.emplace("XDG_CACHE_HOME", home + "/.cache");
  environment.emplace("XDG_RUNTIME_DIR", "/tmp/runtime");
}

}  // namespace

Environment compose(const EnvironmentLayers& layers) {
  Environment environment = base(layers.use, layers.caches);
  if (layers.use == EnvironmentLayers::For::Build) put(environment, layers.administrator);
  put(environment, layers.builder);
  put(environment, layers.settings);
  put(environment, layers.own);
  // A home that is kept lies in /data, which a build does not have.
  if (layers.use == EnvironmentLayers::For::Build && is_below_data(environment["HOME"])) environment["HOME"] = kHome;
  add_xdg_directories(environment);
  return environment;
}

std::string path_variable(const std::string& first) {
  return (first.empty() ? "" : first + ":") + "/usr/local/bin:/usr/bin:/bin";
}

std::optional<std::string> why_reserved(std::string_view name) {
  if (has(kOwn, name)) return "Pushrod sets it itself";
  if (names_a_port(name)) return "Pushrod sets it to the number of a further port";
  if (has(kOfTheShell, name)) return "the shell that runs the command sets it itself";
  return std::nullopt;
}

void check_not_reserved(std::string_view name) {
  if (const auto why = why_reserved(name)) {
    throw UserError(fmt::format("setting {} is reserved: {}", name, *why),
                    name == "PATH" ? "set it in the command: PATH=/app/bin:$PATH exec …" : "choose another name");
  }
}

void check_variable(std::string_view name, std::string_view value) {
  if (name == "HOME" && !value.starts_with('/')) {
    throw UserError(fmt::format("HOME is {}, which is not an absolute path", quoted(value)),
                    "write a path such as /data/home; without a setting it is a private directory in /tmp");
  }
}

}  // namespace pushrod
