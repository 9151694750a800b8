// The table of what programs print when they fail, and what it means: a regular expression for one line, and a function
// from what it captures to the hint. Of the lines that match, the last one that gives a hint counts; of the patterns
// for one line, the first.
#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <memory>

#include "base/text.hh"
#include "diagnosis/output_pattern.hh"

namespace pushrod {

namespace {

std::string unwritable(const Facts& facts, const Match& match) { return explain_unwritable(facts, match.captured); }

// Writing is refused outside of /app; inside, it is the mode of a file that the app's author can change.
std::string denied(const Facts& facts, const Match& match) {
  const auto& path = match.captured;
  if (path.starts_with("/proc") || path.starts_with("/sys") || path.starts_with("/dev")) {
    return fmt::format("{} cannot be used in the sandbox of an app", escaped(path, 200));
  }
  if (path.starts_with("/data") || path.starts_with("/tmp") || path_in_app(facts, path)) return {};
  return explain_unwritable(facts, path);
}

std::string readonly_database(const Facts& facts, const Match&) {
  if (facts.builds()) return {};
  return "the SQLite file must be in a directory that is writable at run time, such as $DATA_DIR (/data, which is "
         "kept); if each instance may start with the file of the release, add to pushrod.toml: [app] writable = true";
}

bool is_set(const Facts& facts, const std::string& name) { return facts.failed.variables.contains(name); }

std::string missing_setting(const Facts& facts, const Match& match) {
  const auto& name = match.captured;
  if (name.size() < 2 || is_set(facts, name)) return {};
  return fmt::format("the setting {0} is missing: config set {1} {0}=…", name, facts.failed.app);
}

// A dictionary's key says nothing unless the lines before tell that the environment was read.
std::string missing_key(const Facts& facts, const Match& match) {
  const auto begin = match.line - std::min<std::size_t>(match.line, 12);
  for (auto line = begin; line <= match.line; ++line) {
    const auto& text = facts.lines[line];
    if (text.find("environ") != text.npos || text.find("ENV.fetch") != text.npos) return missing_setting(facts, match);
  }
  return {};
}

std::string python_module(const Facts& facts, const Match& match) {
  return explain_missing_module(facts, "Python", match.captured);
}

// A path is a file of the app's own; anything else a package, of which "a/b" and "@a/b/c" name a part.
std::string node_module(const Facts& facts, const Match& match) {
  const auto& name = match.captured;
  if (name.starts_with("node:"))
    return fmt::format("this machine's Node.js is too old: it has no module {}", quoted(name));
  if (name.starts_with('/') || name.starts_with('.')) {
    return fmt::format("{} does not exist: is it committed, or made by the build (\"build\" in package.json)?",
                       escaped(name, 200));
  }
  const auto first = name.find('/');
  const auto end = name.starts_with('@') && first != name.npos ? name.find('/', first + 1) : first;
  return explain_missing_module(facts, "Node.js", name.substr(0, end));
}

std::string ruby_module(const Facts& facts, const Match& match) {
  return explain_missing_module(facts, "Ruby", match.captured);
}

std::string perl_module(const Facts& facts, const Match& match) {
  return explain_missing_module(facts, "Perl", match.captured);
}

std::string composer(const Facts&, const Match&) {
  return "vendor/ does not exist; composer makes it: [build] command = \"composer install --no-dev\" in pushrod.toml";
}

std::string built_file(const Facts&, const Match& match) {
  return fmt::format("{} does not exist: is it committed, or made by the build?", escaped(match.captured, 200));
}

std::string go_module(const Facts&, const Match& match) {
  return fmt::format("go.mod does not name {}: run `go mod tidy`, and commit go.mod and go.sum",
                     escaped(match.captured, 200));
}

std::string java_class(const Facts&, const Match& match) {
  return fmt::format("the class {} is not in the class path: check the build, and the command that starts the app",
                     escaped(match.captured, 200));
}

std::string java_version(const Facts&, const Match&) {
  return "the classes were compiled for a newer Java than this machine has: compile with --release, or have the "
         "administrator install that Java";
}

std::string shared_library(const Facts&, const Match& match) {
  return fmt::format("the library {} is not installed on this machine: its administrator can install its package",
                     escaped(match.captured, 100));
}

std::string header_file(const Facts&, const Match& match) {
  const auto& header = match.captured;
  if (header == "Python.h") {
    return "Python.h is not installed on this machine: its administrator can install it: apt-get install python3-dev";
  }
  return fmt::format("the header {} is not installed on this machine: its administrator can install its -dev package",
                     escaped(header, 100));
}

std::string missing_program(const Facts& facts, const Match& match) {
  const auto& name = match.captured;
  if (name.find('/') != name.npos) return built_file(facts, match);
  return explain_missing_program(facts, name);
}

// Python says the same of programs and of data files.
std::string missing_file(const Facts& facts, const Match& match) {
  const auto& name = match.captured;
  const auto begin = match.line - std::min<std::size_t>(match.line, 12);
  const bool runs_program = std::any_of(facts.lines.begin() + static_cast<std::ptrdiff_t>(begin),
                                        facts.lines.begin() + static_cast<std::ptrdiff_t>(match.line),
                                        [](const std::string& line) { return line.find("subprocess") != line.npos; });
  if (runs_program && name.find('/') == name.npos) return explain_missing_program(facts, name);
  return {};
}

std::string unknown_host(const Facts& facts, const Match& match) {
  const auto host = quoted(match.captured, 100);
  if (facts.builds() || match.captured.find('.') != std::string::npos) {
    return fmt::format("the host name {} could not be resolved: check its spelling, and this machine's network", host);
  }
  return fmt::format("the host name {} is unknown on this machine: set the setting that names the server", host);
}

std::string lock_out_of_date(const Facts&, const Match&) {
  return "package-lock.json does not fit package.json: run `npm install`, and commit package-lock.json";
}

std::string other_lock_out_of_date(const Facts&, const Match& match) {
  const auto& tool = match.captured;
  return fmt::format("the lock file does not fit package.json: run `{} install`, and commit both files", tool);
}

std::string node_version(const Facts&, const Match& match) {
  return fmt::format("it needs Node.js {}: have the administrator install that, or allow this machine's version",
                     escaped(match.captured, 60));
}

std::string python_version(const Facts&, const Match& match) {
  return fmt::format("it needs Python {}: its administrator can install that, or use versions of the packages that fit",
                     escaped(match.captured, 60));
}

std::string no_python_package(const Facts&, const Match& match) {
  return fmt::format(
      "pip found no package for {}: check its name and version, and whether this machine's Python and "
      "network can get it",
      quoted(match.captured, 100));
}

std::string no_npm_package(const Facts&, const Match& match) {
  return fmt::format("npm found no package {}: check its name and version in package.json",
                     quoted(match.captured, 100));
}

std::string heap_limit(const Facts&, const Match&) {
  return "Node.js reached the limit of its own heap: raise it with NODE_OPTIONS=--max-old-space-size=MEGABYTES, within "
         "the memory that the process may use";
}

std::string file_watchers(const Facts&, const Match&) {
  return "it watches more files than this machine allows: run it without watching for changes";
}

std::string no_space(const Facts& facts, const Match&) {
  const std::string disk =
      "the disk of this machine is full, or the limit of a file system that it writes to is reached: its "
      "administrator can look with `pushrod doctor`, and make room with `pushrod prune`";
  return facts.builds() ? disk : disk + "; in the writable paths of /app, 256 MiB is the limit of an instance";
}

std::string open_files(const Facts&, const Match&) {
  return "it has too many files and connections open: see open_files in [processes.TYPE] of pushrod.toml";
}

std::string django_host(const Facts&, const Match& match) {
  return fmt::format("Django refuses the host name {}: add it to ALLOWED_HOSTS", quoted(match.captured, 100));
}

std::string local_socket(const Facts&, const Match& match) {
  return fmt::format(
      "the socket {} does not exist in the sandbox of an app: connect over TCP, with 127.0.0.1 as the "
      "host name",
      escaped(match.captured, 200));
}

constexpr OutputPattern kPatterns[] = {
    // A read-only file system. Node; Python; Ruby; Java; coreutils; PHP; dash, Go, bash; anything else.
    {R"re(EROFS: read-only file system, \w+ '([^']+)')re", unwritable},
    {R"re(\[Errno 30\] Read-only file system: b?'([^']+)')re", unwritable},
    {R"re(Read-only file system @ \w+ - ([^\s()]+))re", unwritable},
    {R"re(([^\s:('"]+) \(Read-only file system\))re", unwritable},
    {R"re([‘'"`]([^’'"`]+)[’'"`]: Read-only file system)re", unwritable},
    {R"re(\w\(([^()]+)\): [Ff]ailed to open stream: Read-only file system)re", unwritable},
    {R"re((?i)(?:^|\s)(?:cannot create |open |mkdir )?([^\s:]+): read-only file system)re", unwritable},
    {R"re((?i)read-only file ?system|\bEROFS\b)re", unwritable},
    {R"re(attempt to write a readonly database|unable to open database file|SQLITE_READONLY|SQLITE_CANTOPEN)re",
     readonly_database},

    // Listening where it may not. Before the permissions of files: "permission denied 0.0.0.0:80".
    {R"re((?i)listen E(?:ADDRINUSE|ACCES)|address already in use|\bAddrInUse\b|\bEADDRINUSE\b)re",
     explain_failed_listen},
    {R"re((?i)bind: permission denied|bind\(\) to .* failed|java\.net\.BindException|^.*Connection in use: \()re",
     explain_failed_listen},
    {R"re((?i)\bport \d+ (?:is|was) already in use|attempting to bind on address|failed to bind to address)re",
     explain_failed_listen},

    // Permission denied. Node; Python; Ruby; Java; coreutils; PHP; Go.
    {R"re(EACCES: permission denied, \w+ '([^']+)')re", denied},
    {R"re(\[Errno 13\] Permission denied: b?'([^']+)')re", denied},
    {R"re(Permission denied @ \w+ - ([^\s()]+))re", denied},
    {R"re(([^\s:('"]+) \(Permission denied\)|AccessDeniedException: (\S+))re", denied},
    {R"re([‘'"`](/[^’'"`]+)[’'"`]: Permission denied)re", denied},
    {R"re(\w\(([^()]+)\): [Ff]ailed to open stream: Permission denied)re", denied},
    {R"re((?:open|mkdir|create|rename|unlink|remove|symlink) (/[^\s:]+): permission denied)re", denied},

    // Modules and files that are not there.
    {R"re((?:ModuleNotFoundError|ImportError): No module named '?([\w.]+)'?)re", python_module},
    {R"re(Cannot find (?:module|package) '([^']+)')re", node_module},
    {R"re(cannot load such file -- ([^\s()]+))re", ruby_module},
    {R"re(Could not find gem '([\w.-]+))re", ruby_module},
    {R"re(Could not find ([\w.-]+)-\d[\w.]* in (?:any of the sources|locally installed gems))re", ruby_module},
    {R"re(bundler: command not found: ([\w.-]+))re", ruby_module},
    {R"re(Can't locate (\S+) in @INC)re", perl_module},
    {R"re(vendor/autoload\.php'?\)?: [Ff]ailed to open stream|[Ff]ailed opening required '[^']*vendor/autoload\.php')re",
     composer},
    {R"re(Could not open input file: (\S+))re", built_file},
    {R"re(Unable to access jarfile (\S+))re", built_file},
    {R"re(python3?: can't open file '([^']+)')re", built_file},
    {R"re(no required module provides package ([^\s;:]+))re", go_module},
    {R"re(missing go\.sum entry for (?:module providing package )?([^\s;:]+))re", go_module},
    {R"re(Could not find or load main class (\S+))re", java_class},
    {R"re(UnsupportedClassVersionError)re", java_version},
    {R"re((?:error while loading shared libraries|ImportError|OSError): (lib[\w.+-]+\.so[\w.]*): cannot open)re",
     shared_library},
    {R"re(fatal error: ([\w/.+-]+\.h(?:pp)?): No such file or directory)re", header_file},
    {R"re((pg_config) executable not found)re", missing_program},
    {R"re(exec: "([^"]+)": executable file not found)re", missing_program},
    {R"re(spawn (\S+) ENOENT)re", missing_program},
    {R"re((?:error: command|unable to execute) '([^']+)'(?: failed)?: No such file or directory)re", missing_program},
    {R"re(Errno::ENOENT: No such file or directory - (\w[\w-]*)$)re", missing_program},
    {R"re(\[Errno 2\] No such file or directory: '([^']+)')re", missing_file},

    // Servers that it needs.
    {R"re(via Unix(?: domain)? socket.*"(/[^"]+)"|(?:on Unix domain|through|on) socket ['"](/[^'"]+)['"])re",
     local_socket},
    {R"re((?i)\bECONNREFUSED\b|connection refused|connection to \S+ refused|Can't reach database server)re",
     explain_refused_connection},
    {R"re(getaddrinfo (?:ENOTFOUND|EAI_AGAIN) ([\w.-]+))re", unknown_host},
    {R"re(could not translate host name "([^"]+)")re", unknown_host},
    {R"re(dial tcp: lookup ([\w.-]+))re", unknown_host},
    {R"re(Could not resolve host: ([\w.-]+))re", unknown_host},
    {R"re(UnknownHostException: ([\w.-]+))re", unknown_host},
    {R"re(HTTPS?ConnectionPool\(host='([\w.-]+)'.*(?:Name or service not known|Temporary failure in name resolution))re",
     unknown_host},

    // Settings that it reads.
    {R"re(KeyError: '([A-Z][A-Z0-9_]+)'$)re", missing_key},
    {R"re(key not found: "([A-Z][A-Z0-9_]+)")re", missing_key},
    {R"re((?i:environment variables?|env(?:ironment)? var|variable|setting)[ :]+(?i:not found: |named )?["'`$]?([A-Z][A-Z0-9_]+)["'`]?)re",
     missing_setting},
    {R"re(["'`$]?\b([A-Z][A-Z0-9]*_[A-Z0-9_]+|PORT)["'`]? (?i:(?:environment |env )?(?:variable |setting )?(?:is |was |must be )?(?:not set|not defined|required|missing|undefined|unset|unbound|must be set|must not be empty|environment variable)))re",
     missing_setting},
    {R"re(([A-Z][A-Z0-9_]+) not found\. Declare it as envvar)re", missing_setting},
    {R"re((?i)missing (?:required )?(?:env\w*(?: var\w*)?|variable|setting)s?:? ["'`$]?([A-Z][A-Z0-9_]+))re",
     missing_setting},
    {R"re(Set the ([A-Z][A-Z0-9_]+) environment variable)re", missing_setting},
    // zod, t3-env; envalid.
    {R"re(^\s*['"]?([A-Z][A-Z0-9_]+)['"]?: \[? ?['"]?(?:Required|Invalid input: expected \w+, received undefined)\b)re",
     missing_setting},
    {R"re(^\s+([A-Z][A-Z0-9_]+): \(required\))re", missing_setting},
    {R"re(([A-Z][A-Z0-9_]+): (?:unbound variable|parameter not set|parameter null or not set))re", missing_setting},
    {R"re(Missing `(secret_key_base)`)re",
     [](const Facts& facts, const Match& match) {
       return missing_setting(facts, {match.line, "SECRET_KEY_BASE"});
     }},

    // Versions and packages.
    {R"re(`npm ci` can only install packages when your package\.json)re", lock_out_of_date},
    {R"re(ERR_(PNPM)_(?:OUTDATED_LOCKFILE|LOCKFILE_CONFIG_MISMATCH|FROZEN_LOCKFILE_WITH_OUTDATED_LOCKFILE))re",
     [](const Facts& facts, const Match& match) {
       return other_lock_out_of_date(facts, {match.line, "pnpm"});
     }},
    {R"re(Your lockfile needs to be updated, but (yarn) was run)re", other_lock_out_of_date},
    {R"re(lockfile would have been modified by this install, which is explicitly forbidden)re",
     [](const Facts& facts, const Match& match) {
       return other_lock_out_of_date(facts, {match.line, "yarn"});
     }},
    {R"re(lockfile had changes, but lockfile is frozen)re",
     [](const Facts& facts, const Match& match) {
       return other_lock_out_of_date(facts, {match.line, "bun"});
     }},
    {R"re(The engine "node" is incompatible with this module\. Expected version "([^"]+)")re", node_version},
    {R"re(notsup Required:\s+\{"node":"([^"]+)")re", node_version},
    {R"re(requires a different Python: \S+ not in '([^']+)')re", python_version},
    {R"re(Could not find a version that satisfies the requirement (\S+))re", no_python_package},
    {R"re(404\s+'([^']+)' is not in this registry)re", no_npm_package},
    {R"re(No matching version found for (\S+?)\.?$)re", no_npm_package},

    // Limits.
    {R"re(JavaScript heap out of memory)re", heap_limit},
    {R"re(ENOSPC: System limit for number of file watchers)re", file_watchers},
    {R"re((?i)no space left on device|\bENOSPC\b|disk quota exceeded)re", no_space},
    {R"re((?i)too many open files|\bEMFILE\b)re", open_files},

    {R"re(Invalid HTTP_HOST header: '([^']+)')re", django_host},
};

class CompiledPattern {
 public:
  explicit CompiledPattern(const OutputPattern& pattern) : expression_(pattern.expression), explain_(pattern.explain) {}

  std::string explain(const Facts& facts, std::size_t line) const {
    re2::StringPiece groups[3];
    const auto wanted = 1 + std::min(expression_.NumberOfCapturingGroups(), 2);
    const auto& text = facts.lines[line];
    if (!expression_.Match(text, 0, text.size(), re2::RE2::UNANCHORED, groups, wanted)) return {};
    Match match;
    match.line = line;
    // Alternatives capture in one group or the other.
    for (int group = 1; group < wanted && match.captured.empty(); ++group) {
      if (groups[group].data() != nullptr) match.captured.assign(groups[group].data(), groups[group].size());
    }
    return explain_(facts, match);
  }

 private:
  re2::RE2 expression_;
  ExplainMatch explain_;
};

// A bare "[Errno 13] Permission denied", as Python reports a socket that it may not bind: the lines above tell which.
std::string explain_bare_denial(const Facts& facts, std::size_t line) {
  if (!facts.lines[line].ends_with("[Errno 13] Permission denied")) return {};
  const auto begin = line - std::min<std::size_t>(line, 12);
  for (auto above = begin; above < line; ++above) {
    const auto& text = facts.lines[above];
    if (text.find("bind(") == text.npos && text.find("_bind") == text.npos) continue;
    return explain_failed_listen(facts, {line});
  }
  return {};
}

}  // namespace

std::string explain_output(const Facts& facts) {
  std::vector<std::unique_ptr<CompiledPattern>> patterns;
  if (facts.builds()) {
    for (const auto& pattern : build_patterns()) patterns.push_back(std::make_unique<CompiledPattern>(pattern));
  }
  for (const auto& pattern : kPatterns) patterns.push_back(std::make_unique<CompiledPattern>(pattern));
  // Node prints the properties of an error below its message, which says more.
  const re2::RE2 property(R"(^\s+\w+: (?:'[^']*'|-?\d+),?$)");
  for (auto line = facts.lines.size(); line-- > 0;) {
    if (re2::RE2::PartialMatch(facts.lines[line], property)) continue;
    if (auto hint = explain_bare_denial(facts, line); !hint.empty()) return hint;
    for (const auto& pattern : patterns) {
      if (auto hint = pattern->explain(facts, line); !hint.empty()) return hint;
    }
  }
  return {};
}

}  // namespace pushrod
