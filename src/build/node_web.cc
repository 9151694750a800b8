// Knows the frameworks by their packages, and servers for development by how a start script calls them.
#include "build/node_web.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "base/error.hh"
#include "base/text.hh"
#include "build/builders.hh"

namespace pushrod {

namespace {

using Json = nlohmann::json;

bool depends_on(const PackageJson& package, const char* name) { return package.dependencies.contains(name); }

bool builds(const PackageJson& package) { return package.scripts.contains("build"); }

bool build_mentions(const PackageJson& package, std::string_view words) {
  return builds(package) && package.scripts.at("build").find(words) != std::string::npos;
}

struct Server {
  const char* program;
  std::vector<std::string_view> commands;  // of it; "": without one
};
const std::vector<Server>& development_servers() {
  static const std::vector<Server> kList{
      {"vite", {"", "dev", "serve", "preview"}},
      {"react-scripts", {"start"}},
      {"craco", {"start"}},
      {"ng", {"serve"}},
      {"nest", {"start"}},
      {"next", {"dev"}},
      {"nuxt", {"", "dev"}},
      {"nuxi", {"dev"}},
      {"astro", {"dev", "preview", "start"}},
      {"gatsby", {"develop", "serve"}},
      {"docusaurus", {"start", "serve"}},
      {"vue-cli-service", {"serve"}},
      {"parcel", {"", "serve", "index.html", "src/index.html"}},
      {"webpack", {"serve"}},
      {"webpack-dev-server", {""}},
      {"remix", {"dev", "vite:dev"}},
      {"react-router", {"dev"}},
      {"vitepress", {"dev", "serve", "preview"}},
      {"eleventy", {""}},
      {"preact", {"watch"}},
      {"svelte-kit", {"dev"}},
      {"vinxi", {"dev"}},
  };
  return kList;
}

// The words of "cross-env PORT=3000 npx nest start --watch", from the program on.
std::vector<std::string> program_of(const std::string& script) {
  std::vector<std::string> words;
  for (const auto& word : split(script, ' ')) {
    if (!trim(word).empty()) words.emplace_back(trim(word));
  }
  while (!words.empty()) {
    const auto& word = words.front();
    const bool is_before = word == "npx" || word == "env" || word == "cross-env" || word == "exec" ||
                           (word.find('=') != word.npos && !word.starts_with('-'));
    if (!is_before) break;
    words.erase(words.begin());
  }
  return words;
}

bool is_for_development(const std::string& script) {
  const auto words = program_of(script);
  if (words.empty()) return false;
  const std::string_view command = words.size() > 1 && !words[1].starts_with('-') ? std::string_view(words[1]) : "";
  const auto& known = development_servers();
  return std::any_of(known.begin(), known.end(), [&](const Server& server) {
    return words[0] == server.program &&
           std::find(server.commands.begin(), server.commands.end(), command) != server.commands.end();
  });
}

// Where Angular's build writes: "dist/NAME/browser", unless angular.json says otherwise.
std::string output_of_angular(const fs::path& directory) {
  try {
    const auto json = Json::parse(read_tree_file(directory, "angular.json", std::size_t{1} << 20).value_or("{}"));
    const auto& projects = json.at("projects");
    const auto name = json.value("defaultProject", projects.begin().key());
    const auto& build = projects.at(name).at("architect").at("build");
    const auto options = build.value("options", Json::object());
    if (options.contains("ssr") || options.contains("server")) return {};  // has a server
    auto output = "dist/" + name;
    std::string inner = build.value("builder", "").ends_with(":application") ? "browser" : "";
    if (const auto path = options.find("outputPath"); path != options.end()) {
      output = path->is_string() ? path->get<std::string>() : path->value("base", output);
      if (path->is_object()) inner = path->value("browser", inner);
    }
    return inner.empty() ? output : output + "/" + inner;
  } catch (const Json::exception&) {
    return {};
  } catch (const UserError&) {
    return {};
  }
}

// Does one of the files, which are code, have this text? Without blanks and quotes: "output:export".
bool configures(const fs::path& directory, std::initializer_list<const char*> files, std::string_view setting) {
  return std::any_of(files.begin(), files.end(), [&](const char* name) {
    std::string text;
    try {
      text = read_tree_file(directory, name, std::size_t{1} << 20).value_or("");
    } catch (const UserError&) {
    }
    std::erase_if(text, [](char c) { return c == ' ' || c == '"' || c == '\''; });
    return text.find(setting) != text.npos;
  });
}

// Does its build make files alone?
bool exports_next(const fs::path& directory) {
  return configures(directory, {"next.config.js", "next.config.mjs", "next.config.ts"}, "output:export");
}
constexpr std::initializer_list<const char*> kAstroFiles{"astro.config.mjs", "astro.config.js", "astro.config.ts"};
bool renders_astro(const fs::path& directory) {
  return configures(directory, kAstroFiles, "output:server") || configures(directory, kAstroFiles, "output:hybrid");
}

struct Site {
  const char* package;
  const char* output;
};
// The first that is there counts: many use Vite, too.
constexpr std::array<Site, 13> kSites{{
    {"react-scripts", "build"},
    {"@craco/craco", "build"},
    {"@docusaurus/core", "build"},
    {"@sveltejs/adapter-static", "build"},
    {"gatsby", "public"},
    {"@11ty/eleventy", "_site"},
    {"@vue/cli-service", "dist"},
    {"vite", "dist"},
    {"astro", "dist"},
    {"parcel", "dist"},
    {"webpack", "dist"},
    {"rollup", "dist"},
    {"esbuild", "dist"},
}};

// "out" of "vite build --outDir out", unless it leads elsewhere.
std::string output_option(const std::string& script) {
  const auto words = split(script, ' ');
  const auto option = std::find(words.begin(), words.end(), "--outDir");
  if (option == words.end() || option + 1 == words.end()) return {};
  const auto& path = *(option + 1);
  return path.starts_with('/') || path.find("..") != path.npos ? std::string{} : path;
}

}  // namespace

std::string framework_server(const fs::path& directory, const PackageJson& package) {
  if (depends_on(package, "next") && builds(package) && !exports_next(directory))
    return "next start -H 127.0.0.1 -p $PORT";
  const bool has_nitro =
      depends_on(package, "nuxt") || depends_on(package, "nitropack") || depends_on(package, "vinxi");
  if (has_nitro && builds(package) && !build_mentions(package, "generate")) {
    return "HOST=127.0.0.1 node .output/server/index.mjs";
  }
  if (depends_on(package, "@remix-run/serve")) return "HOST=127.0.0.1 remix-serve ./build/server/index.js";
  if (depends_on(package, "@react-router/serve")) return "HOST=127.0.0.1 react-router-serve ./build/server/index.js";
  const bool is_static = depends_on(package, "@sveltejs/adapter-static");
  if (depends_on(package, "@sveltejs/adapter-node") || (depends_on(package, "@sveltejs/adapter-auto") && !is_static)) {
    return "HOST=127.0.0.1 node build";
  }
  if (depends_on(package, "@astrojs/node")) return "HOST=127.0.0.1 node dist/server/entry.mjs";
  return {};
}

std::string told_other_host(const fs::path& directory, const PackageJson& package) {
  const bool is_svelte = depends_on(package, "@sveltejs/kit");
  if (!is_svelte && !(depends_on(package, "astro") && renders_astro(directory))) return {};
  const std::string family = is_svelte ? "@sveltejs/adapter-" : "@astrojs/";
  for (const char* host : {"vercel", "netlify", "cloudflare"}) {
    const auto adapter = family + host;
    if (!depends_on(package, adapter.c_str())) continue;
    return fmt::format("{} builds for {}: use {}node in {}", adapter, host, family,
                       is_svelte ? "svelte.config.js" : "astro.config");
  }
  return {};
}

std::string told_framework(const fs::path& directory, const PackageJson& package) {
  if (!depends_on(package, "@astrojs/node") || !renders_astro(directory)) return {};
  if (configures(directory, kAstroFiles, "allowedDomains")) return {};
  return "Astro takes every request for one to http://localhost, and answers 403 to forms, unless astro.config names "
         "the app's hosts: security: { allowedDomains: [{ hostname: \"shop.example.com\" }] }";
}

std::string output_of_site(const fs::path& directory, const PackageJson& package) {
  if (!builds(package) || !framework_server(directory, package).empty()) return {};
  if (!told_other_host(directory, package).empty()) return {};
  if (depends_on(package, "nuxt")) return ".output/public";
  if (depends_on(package, "next")) return "out";
  if (depends_on(package, "@angular/core") && in_tree(directory, "angular.json")) return output_of_angular(directory);
  if (build_mentions(package, "vitepress build")) {
    const auto words = program_of(package.scripts.at("build"));
    const auto at = std::find(words.begin(), words.end(), "build");
    const bool has_directory = at != words.end() && at + 1 != words.end() && !(at + 1)->starts_with('-');
    return (has_directory ? *(at + 1) + "/" : "") + ".vitepress/dist";
  }
  for (const auto& site : kSites) {
    if (!depends_on(package, site.package)) continue;
    const auto chosen = output_option(package.scripts.at("build"));
    return chosen.empty() ? site.output : chosen;
  }
  return {};
}

std::string script_that_starts(const fs::path& directory, const PackageJson& package) {
  const auto start = package.scripts.find("start");
  if (start == package.scripts.end()) return {};
  if (!is_for_development(start->second) || !builds(package)) return "start";
  for (const char* name : {"start:prod", "start:production"}) {
    if (package.scripts.contains(name)) return name;
  }
  return framework_server(directory, package).empty() && output_of_site(directory, package).empty() ? "start" : "";
}

bool is_served_as_files(const fs::path& directory, const PackageJson& package) {
  return package.scripts.contains("start") && script_that_starts(directory, package).empty() &&
         framework_server(directory, package).empty();
}

std::string program_of_dev_script(const PackageJson& package) {
  const auto dev = package.scripts.find("dev");
  if (dev == package.scripts.end() || dev->second.find('&') != std::string::npos) return {};
  const auto words = program_of(dev->second);
  const std::string_view program = words.empty() ? "" : std::string_view(words.front());
  const bool runs_typescript = program == "tsx" || program == "ts-node" || program == "ts-node-dev";
  if (program != "node" && program != "nodemon" && !runs_typescript) return {};
  const auto file = std::find_if(words.begin() + 1, words.end(), [](const std::string& word) {
    const auto end = fs::path(word).extension();
    return !word.starts_with('-') && (end == ".js" || end == ".mjs" || end == ".cjs" || end == ".ts" || end == ".mts");
  });
  if (file == words.end() || file->starts_with('/') || file->find("..") != std::string::npos) return {};
  std::string runner = "node";
  if (file->ends_with("ts"))
    runner = depends_on(package, "tsx") ? "tsx" : depends_on(package, "ts-node") ? "ts-node" : "";
  return runner.empty() ? runner : runner + " " + shell_quoted(*file);
}

std::map<std::string, std::string> framework_build_environment(const PackageJson& package) {
  // SvelteKit's adapter-auto chooses adapter-node where it finds this variable, and fails where it finds none.
  const bool chooses = depends_on(package, "@sveltejs/adapter-auto") && !depends_on(package, "@sveltejs/adapter-node");
  if (chooses) return {{"GCP_BUILDPACKS", "1"}};
  return {};
}

}  // namespace pushrod
