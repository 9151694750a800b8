// Languages, sites and images for which there is no builder, each known by a file in the app's directory. The tables
// also say how such a program is usually built and run.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "base/text.hh"
#include "build/advice.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

struct Language {
  std::string marker;  // a name, or "*.csproj"
  std::string name;
  std::string build;
  std::string run;
  std::string program;       // that the build needs; empty: it is in the tree
  std::string package;       // of Debian, that has the program; empty: none
  bool has_builder = false;  // then only the command is of interest, for a build of the app's own
};
// The first marker of a language that is found counts.
const std::vector<Language>& languages() {
  static const std::vector<Language> kList{
      {"go.mod", "Go", "go build -o bin/app .", "bin/app", "go", "golang-go", true},
      {"Gemfile", "Ruby", "bundle config set --local path vendor/bundle && bundle install",
       "bundle exec puma -b tcp://127.0.0.1:$PORT", "bundle", "bundler", true},
      {"composer.json", "PHP", "composer install --no-dev", "php -S 127.0.0.1:$PORT -t public", "composer", "composer",
       true},
      {"pom.xml", "Java", "mvn -B -DskipTests package", "java -jar app.jar", "mvn", "maven", true},
      {"build.sbt", "Scala", "sbt stage", "target/universal/stage/bin/app", "sbt", ""},
      {"deps.edn", "Clojure", "clojure -P", "clojure -M -m app", "clojure", "clojure"},
      {"Cargo.toml", "Rust", "cargo build --release", "target/release/app", "cargo", "cargo", true},
      {"mix.exs", "Elixir", "mix deps.get --only prod && MIX_ENV=prod mix release", "_build/prod/rel/app/bin/app start",
       "mix", "elixir", true},
      {"rebar.config", "Erlang", "rebar3 as prod release", "_build/prod/rel/app/bin/app foreground", "rebar3",
       "rebar3"},
      {"gleam.toml", "Gleam", "gleam export erlang-shipment", "build/erlang-shipment/entrypoint.sh run", "gleam", ""},
      {"deno.json", "Deno", "deno cache main.ts", "deno run --allow-net --allow-env main.ts", "deno", ""},
      {"deno.jsonc", "Deno", "deno cache main.ts", "deno run --allow-net --allow-env main.ts", "deno", ""},
      {"deno.lock", "Deno", "deno cache main.ts", "deno run --allow-net --allow-env main.ts", "deno", ""},
      {"*.sln", ".NET", "dotnet publish -c Release -o out", "dotnet out/App.dll", "dotnet", ""},
      {"*.slnx", ".NET", "dotnet publish -c Release -o out", "dotnet out/App.dll", "dotnet", ""},
      {"*.csproj", ".NET", "dotnet publish -c Release -o out", "dotnet out/App.dll", "dotnet", ""},
      {"*.fsproj", ".NET", "dotnet publish -c Release -o out", "dotnet out/App.dll", "dotnet", ""},
      {"*.vbproj", ".NET", "dotnet publish -c Release -o out", "dotnet out/App.dll", "dotnet", ""},
      {"shard.yml", "Crystal", "shards build --production --release", "bin/app", "shards", "crystal"},
      {"stack.yaml", "Haskell", "stack install --local-bin-path bin", "bin/app", "stack", "haskell-stack"},
      {"*.cabal", "Haskell", "cabal install --installdir=bin --install-method=copy", "bin/app", "cabal",
       "cabal-install"},
      {"cabal.project", "Haskell", "cabal install --installdir=bin --install-method=copy", "bin/app", "cabal",
       "cabal-install"},
      {"Package.swift", "Swift", "swift build -c release", ".build/release/App", "swift", ""},
      {"pubspec.yaml", "Dart", "dart pub get && dart compile exe bin/server.dart -o bin/server", "bin/server", "dart",
       ""},
      {"build.zig", "Zig", "zig build -Doptimize=ReleaseSafe", "zig-out/bin/app", "zig", ""},
      {"*.nimble", "Nim", "nimble build -d:release -y", "./app", "nimble", "nim"},
      {"dune-project", "OCaml", "dune build --release", "_build/default/bin/main.exe", "dune", "ocaml-dune"},
      {"cpanfile", "Perl", "cpanm --local-lib-contained local --installdeps .", "perl -Ilocal/lib/perl5 app.pl",
       "cpanm", "cpanminus"},
      {"renv.lock", "R", "Rscript -e 'renv::restore(prompt = FALSE)'", "Rscript app.R", "Rscript", "r-base"},
      {"Project.toml", "Julia", "julia --project -e 'using Pkg; Pkg.instantiate()'", "julia --project app.jl", "julia",
       ""},
      {"*.rockspec", "Lua", "luarocks make --tree lua_modules", "lua app.lua", "luarocks", "luarocks"},
      {"dub.json", "D", "dub build --build=release", "./app", "dub", "dub"},
      {"dub.sdl", "D", "dub build --build=release", "./app", "dub", "dub"},
  };
  return kList;
}
// These count only where nothing else builds the tree: many trees of other languages have such files as well.
const std::vector<Language>& lesser_languages() {
  static const std::vector<Language> kList{
      {"CMakeLists.txt", "C and C++", "cmake -B build && cmake --build build", "build/app", "cmake", "cmake", true},
      {"meson.build", "C and C++", "meson setup build && ninja -C build", "build/app", "meson", "meson", true},
      {"*.c", "C and C++", "make", "./app", "make", "make gcc"},
      {"*.cc", "C and C++", "make", "./app", "make", "make g++"},
      {"*.cpp", "C and C++", "make", "./app", "make", "make g++"},
      {"*.go", "Go", "go build -o bin/app .", "bin/app", "go", "golang-go"},
      {"*.rs", "Rust", "rustc -O -o app main.rs", "./app", "rustc", "rustc"},
      {"*.java", "Java", "javac -d classes *.java", "java -cp classes Main", "javac", "default-jdk"},
      {"*.cs", ".NET", "dotnet publish -c Release -o out", "dotnet out/App.dll", "dotnet", ""},
  };
  return kList;
}
// The file that nearly every kind of tree may have: it counts only where nothing else is known of the tree.
const std::vector<Language>& last_resort() {
  static const std::vector<Language> kList{{"Makefile", "Makefiles", "make", "./app", "make", "make"}};
  return kList;
}

constexpr const char* kPlainWord = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./:=,@%+";
constexpr const char* kSite = "a static site";

// What needs no build, and is run by a command alone. They count only where nothing says what to run.
struct Runnable {
  std::string marker;
  std::string what;
  std::string run;  // of a site: its directory
};
const std::vector<Runnable>& runnables() {
  static const std::vector<Runnable> kList{
      {"config.ru", "Ruby", "rackup -o 127.0.0.1 -p $PORT"},
      {"_site/index.html", kSite, "_site"},
      {"site/index.html", kSite, "site"},
      {"static/index.html", kSite, "static"},
      {"src/index.html", kSite, "src"},
      {"docs/index.html", kSite, "docs"},
  };
  return kList;
}

// The file that a marker means; absent if there is none.
std::optional<std::string> find_marker(const fs::path& directory, const std::vector<std::string>& names,
                                       const std::string& marker) {
  if (!marker.starts_with('*')) return in_tree(directory, marker) ? std::optional(marker) : std::nullopt;
  const auto found = std::find_if(names.begin(), names.end(), [&](const std::string& name) {
    return name.size() >= marker.size() && name.ends_with(marker.substr(1)) && in_tree(directory, name);
  });
  return found == names.end() ? std::nullopt : std::optional(escaped(*found, 60));
}

std::string installation(const Language& language, const Host& host) {
  if (language.program.empty() || host.has_program(language.program)) return {};
  const auto missing = fmt::format("; {} is not installed on this machine", language.program);
  if (language.package.empty()) return missing + ": its administrator can install it below /usr/local";
  return fmt::format("{}: its administrator can run apt-get install {}", missing, language.package);
}

std::string line_for(const Language& language, const std::string& file, const Situation& situation, const Host& host) {
  const auto part = situation.built.empty() ? "" : fmt::format(" and builds the {} part only", situation.built);
  return fmt::format("{} is there; Pushrod has no builder for {} yet{}: [build] command = \"{}\" in pushrod.toml{}",
                     file, language.name, part, language.build, installation(language, host));
}

void add_languages(const std::vector<Language>& list, const Situation& situation, const Host& host,
                   OtherLanguages& found) {
  std::set<std::string> named;
  for (const Language& language : list) {
    if (named.contains(language.name)) continue;
    const auto file = find_marker(situation.directory, situation.names, language.marker);
    if (!file) continue;
    named.insert(language.name);
    if (!situation.own_build && !language.has_builder)
      found.lines.push_back(line_for(language, *file, situation, host));
    if (found.command.empty()) found.command = language.run;
  }
}

void add_runnable(const Situation& situation, OtherLanguages& found) {
  for (const Runnable& runnable : runnables()) {
    if (!in_tree(situation.directory, runnable.marker)) continue;
    if (runnable.what == kSite) {
      const auto setting = fmt::format("[processes.web] static = \"{}\"", runnable.run);
      found.lines.push_back(
          fmt::format("{} is there: to serve {}, write in pushrod.toml: {}", runnable.marker, runnable.what, setting));
      found.remedy = fmt::format("write in pushrod.toml: {}", setting);
      return;
    }
    found.lines.push_back(fmt::format("{} is there: to serve {}, commit a Procfile with the line \"web: {}\"",
                                      runnable.marker, runnable.what, runnable.run));
    found.command = runnable.run;
    return;
  }
}

// The first file in a directory that tells that an app lies there; empty: none.
std::string sign_of_app(const fs::path& directory) {
  for (const char* name :
       {"Procfile", "pushrod.toml", "package.json", "requirements.txt", "pyproject.toml", "Pipfile", "manage.py"}) {
    if (in_tree(directory, name)) return name;
  }
  const auto names = list_directory(directory);
  for (const Language& language : languages()) {
    if (auto file = find_marker(directory, names, language.marker)) return *std::move(file);
  }
  return {};
}

// A repo of several apps, or one whose app lies deeper.
void add_directories_of_apps(const Situation& situation, OtherLanguages& found) {
  constexpr std::size_t kMostNamed = 3;
  const auto look_in = [&](const std::string& path) {
    const auto sign = sign_of_app(situation.directory / path);
    if (sign.empty() || found.lines.size() == kMostNamed) return;
    if (found.remedy.empty()) {
      found.remedy = fmt::format("create the app with --path {}", escaped(shell_quoted(path)));
    }
    found.lines.push_back(
        fmt::format("{} is in {}/, and an app is one directory of a repo: create the app with --path {}", sign,
                    escaped(path), escaped(shell_quoted(path))));
  };
  for (const std::string& name : situation.names) {
    if (name.starts_with('.') || name == "node_modules" || !is_directory(situation.directory / name)) continue;
    look_in(name);
    if (name != "apps" && name != "packages" && name != "services" && name != "projects") continue;
    for (const std::string& inner : list_directory(situation.directory / name)) {
      if (is_directory(situation.directory / name / inner)) look_in(name + "/" + inner);
    }
  }
}

// What a Dockerfile's last CMD runs, in a shell's words; empty if it has none on one line, or is not a plain file.
std::string command_of_image(const fs::path& directory) {
  constexpr std::size_t kLongest = std::size_t{1} << 16;
  if (!is_plain_file(directory / "Dockerfile") || fs::file_size(directory / "Dockerfile") > kLongest) return {};
  std::string command;
  for (const auto& line : lines_of(read_file(directory / "Dockerfile", kLongest, /*follow=*/false).value_or(""))) {
    if (!line.starts_with("CMD ")) continue;
    command = trim(std::string_view(line).substr(4));
  }
  if (command.empty() || command.ends_with('\\') || command.size() > 200) return {};
  if (!command.starts_with('[')) return escaped(command);
  const auto words = nlohmann::json::parse(command, nullptr, /*allow_exceptions=*/false);
  if (!words.is_array()) return {};
  std::vector<std::string> parts;
  for (const auto& word : words) {
    if (!word.is_string()) return {};
    const auto text = word.get<std::string>();
    const bool is_plain = !text.empty() && text.find_first_not_of(kPlainWord) == std::string::npos;
    parts.push_back(is_plain ? text : shell_quoted(text));
  }
  return escaped(join(parts, " "));
}

void add_images(const Situation& situation, OtherLanguages& found) {
  for (const char* name : {"Dockerfile", "Containerfile", "compose.yaml", "compose.yml", "docker-compose.yml"}) {
    if (!in_tree(situation.directory, name)) continue;
    found.lines.push_back(fmt::format(
        "{} is there; Pushrod builds no container images: write what its RUN lines do as [build] command in "
        "pushrod.toml, and its CMD as the line \"web: …\" of a Procfile",
        name));
    if (found.command.empty()) found.command = command_of_image(situation.directory);
    return;
  }
}

}  // namespace

bool has_program_of_other_language(const Situation& situation) {
  const auto is_there = [&](const auto& known) {
    return find_marker(situation.directory, situation.names, known.marker).has_value();
  };
  return std::ranges::any_of(languages(), is_there) || std::ranges::any_of(lesser_languages(), is_there) ||
         std::ranges::any_of(runnables(),
                             [&](const Runnable& known) { return known.what != kSite && is_there(known); });
}

OtherLanguages other_languages(const Situation& situation, const Host& host) {
  OtherLanguages found;
  add_languages(languages(), situation, host, found);
  const bool is_alone = found.command.empty() && situation.built.empty() && !situation.own_build;
  if (is_alone) add_languages(lesser_languages(), situation, host, found);
  if (situation.runs || !found.command.empty()) return found;
  if (is_alone) {
    add_runnable(situation, found);
    if (found.lines.empty()) add_directories_of_apps(situation, found);
    if (found.lines.empty()) add_languages(last_resort(), situation, host, found);
  }
  if (found.lines.empty()) add_images(situation, found);
  return found;
}

}  // namespace pushrod
