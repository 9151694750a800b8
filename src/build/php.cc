// PHP: composer.json → composer install; index.php → nothing to build. Served by php-fpm behind nginx
// (file_server.hh), unless the app says itself what runs.
#include <fmt/format.h>

#include "base/error.hh"
#include "base/text.hh"
#include "build/file_server.hh"
#include "build/languages.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

// The directory that visitors see, in the app's; absent if no index.php is in any.
std::optional<std::string> document_root(const fs::path& directory) {
  for (const char* place : {"public", "web", "webroot", ""}) {
    const auto here = directory / place;
    if (is_directory(here) && in_tree(here, "index.php")) return place;
  }
  return std::nullopt;
}

// The newest php-fpm8.2 or the like: Debian has one a version, and no common name.
std::string find_php_fpm(const Host& host) {
  std::string found;
  for (const auto& directory : host.server_directories) {
    if (!is_directory(directory)) continue;
    for (const auto& name : list_directory(directory)) {
      const auto path = (directory / name).string();
      if (name.starts_with("php-fpm") && path > found) found = path;
    }
  }
  return found;
}

std::string framework_of(const fs::path& directory, BuildPlan& plan) {
  if (in_tree(directory, "artisan")) {
    plan.environment.merge(std::map<std::string, std::string>{{"APP_ENV", "production"}, {"LOG_CHANNEL", "stderr"}});
    return ", Laravel";
  }
  if (is_directory(directory / "bin") && in_tree(directory / "bin", "console")) {
    plan.environment["APP_ENV"] = "prod";
    return ", Symfony";
  }
  return {};
}

}  // namespace

std::optional<BuildPlan> plan_php(const AppTree& tree, const std::string& where, const Host& host) {
  if (where != tree.path) return std::nullopt;
  const auto directory = tree.directory();
  const auto root = document_root(directory);
  const bool has_composer = in_tree(directory, "composer.json");
  if (!has_composer && !root) return std::nullopt;

  BuildPlan plan;
  plan.language = "PHP";
  plan.environment["PATH"] = path_variable();
  require_program(host, "php", "php-cli");
  const auto framework = framework_of(directory, plan);
  plan.description = fmt::format("PHP{}, {}", framework, has_composer ? "composer.json" : "index.php");
  const bool is_vendored = is_directory(directory / "vendor") && in_tree(directory / "vendor", "autoload.php");
  if (has_composer && !is_vendored) {
    require_program(host, "composer", "composer");
    plan.steps = {{"composer install --no-dev --optimize-autoloader --no-interaction --no-progress"}};
    plan.description += ", composer install";
    if (!in_tree(directory, "composer.lock")) {
      plan.notices.push_back(
          "there is no composer.lock, so a push may get other versions of packages: run composer install and commit "
          "it");
    }
  }
  if (root) {
    const auto php_fpm = find_php_fpm(host);
    const bool says_what_runs = in_tree(directory, "Procfile") || in_tree(directory, "pushrod.toml");
    if (php_fpm.empty() && !says_what_runs) {
      throw Error{"php-fpm, which runs PHP for web requests, is not installed on this machine",
                  "its administrator can install it: apt-get install php-fpm"};
    }
    if (!php_fpm.empty() && (has_file_server(host) || !says_what_runs)) {
      const auto place = root->empty() ? std::string{} : "/" + *root;
      add_file_server({.root = in_sandbox(tree.path) + place, .php_fpm = php_fpm}, host, plan);
      plan.description += fmt::format(", served by php-fpm and nginx from {}", root->empty() ? "." : *root + "/");
    }
  }
  plan.looked_for = "no index.php in public/, web/, webroot/ or the app's directory";
  plan.usual_command = "php -S 127.0.0.1:$PORT -t public";
  return plan;
}

}  // namespace pushrod
