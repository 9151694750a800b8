// Renders the configuration of nginx and php-fpm, and the script that starts them.
//
// nginx cannot read $PORT, so the script puts it in.
#include "build/file_server.hh"

#include <fmt/format.h>

#include <filesystem>

#include "base/error.hh"
#include "base/text.hh"
#include "build/file_server_config.hh"

namespace pushrod {

namespace {

constexpr const char* kServer = "/server";

std::string file_step(const std::string& name, const std::string& content) {
  return fmt::format("cat > {}/{} <<'END_OF_FILE'\n{}END_OF_FILE\n", kServer, name, content);
}

// A single page answers every address itself, unless the site has a page for those that it does not know.
constexpr const char* kChooseFallback = R"sh(if [ ! -e /server/root ]; then
  echo "There is no $(readlink /server/root) to serve" >&2
  exit 1
fi
cd /server/root
if [ ! -e 404.html ] && [ -e index.html ] && [ "$(find . -name '*.html' -not -path '*/node_modules/*' | head -n 2 | wc -l)" = 1 ]; then
  echo 'try_files $uri $uri/ /index.html;' > /server/fallback.conf
  echo 'One page: it is served for every address without a file'
else
  echo 'try_files $uri $uri.html $uri/ =404;' > /server/fallback.conf
fi
cd - > /dev/null
)sh";

// nginx is the instance's main process, so php-fpm ends with it; and it ends when php-fpm does.
std::string start_script(const std::string& nginx, const std::string& php_fpm) {
  std::string script = "set -e\nsed \"s/@PORT@/$PORT/\" /server/nginx.conf > /tmp/nginx.conf\n";
  if (!php_fpm.empty()) {
    script += fmt::format(
        "sed \"s/@CHILDREN@/${{WEB_CONCURRENCY:-5}}/\" /server/php-fpm.conf > /tmp/php-fpm.conf\n"
        "{{ {} --nodaemonize --fpm-config /tmp/php-fpm.conf || true; echo 'php-fpm has ended' >&2; kill $$; }} & "
        "php=$!\n"
        "until [ -S /tmp/php-fpm.sock ]; do kill -0 $php; sleep 0.02; done\n",
        php_fpm);
  }
  return script + fmt::format("exec {} -e stderr -p /tmp/ -c /tmp/nginx.conf\n", nginx);
}

}  // namespace

bool has_file_server(const Host& host) { return !host.server("nginx").empty(); }

void add_file_server(const FileServer& server, const Host& host, BuildPlan& plan) {
  const auto nginx = host.server("nginx");
  if (nginx.empty()) {
    throw Error{"nginx, which serves files, is not installed on this machine",
                "its administrator can install it: apt-get install nginx-light; or commit a Procfile whose line "
                "\"web: …\" runs another server"};
  }
  const bool php = !server.php_fpm.empty();
  std::string step;
  step += fmt::format("ln -sfn {} {}/root\n", shell_quoted(server.root), kServer);
  step += file_step("nginx.conf", render_nginx(php));
  step += php ? file_step("php-fpm.conf", kPhpFpmConfig) : kChooseFallback;
  step += file_step("start", start_script(nginx, server.php_fpm));
  plan.steps.push_back({.command = step, .shown = php ? "configure php-fpm and nginx" : "configure nginx"});
  plan.mounts.push_back({.directory = "server", .path = kServer});
  plan.default_processes.push_back(
      Process{.type = ProcessType::parse("web"), .command = fmt::format("sh {}/start", kServer), .health = {}});
}

}  // namespace pushrod
