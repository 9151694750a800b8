// Plans the steps that run buildpacks, as https://devcenter.heroku.com/articles/buildpack-api has them. /app is the
// build directory, and its own place at run time, too. What .profile.d exports reaches every command through BASH_ENV.
#include "build/buildpack.hh"

#include <fmt/format.h>

#include "base/error.hh"
#include "base/text.hh"
#include "build/languages.hh"
#include "config/text_file.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

struct Pack {
  std::string shown;
  std::string directory;  // of the app; empty: it is fetched
  std::string address;
  std::string commit;  // empty: whatever is the newest
};

bool is_address(const std::string& text) { return text.find("://") != text.npos; }

// "heroku/nodejs" is Heroku's own.
Pack parse_pack(const std::string& text) {
  Pack pack{.shown = text, .directory = {}, .address = {}, .commit = {}};
  const auto hash = text.find('#');
  const auto place = text.substr(0, hash);
  if (hash != text.npos) pack.commit = text.substr(hash + 1);
  constexpr std::string_view kHeroku = "heroku/";
  if (is_address(place)) {
    pack.address = place;
  } else if (place.starts_with(kHeroku)) {
    pack.address = fmt::format("https://github.com/heroku/heroku-buildpack-{}.git", place.substr(kHeroku.size()));
  } else {
    pack.directory = place;
  }
  return pack;
}

void check_directory(const fs::path& root, const Pack& pack) {
  fs::path here = root;
  bool is_there = true;
  for (const auto& part : fs::path(pack.directory)) {
    is_there = is_there && part != ".." && !part.is_absolute() && is_directory(here /= part);
  }
  if (is_there) return;
  throw UserError{fmt::format("the buildpack {} is not a directory of the app", quoted(pack.shown)),
                  "name a directory, or the address of a git repository with a commit: https://HOST/PATH.git#COMMIT"};
}

std::vector<Pack> packs_of(const AppTree& tree, const AppManifest& manifest, std::vector<std::string>& notices) {
  std::vector<Pack> packs;
  for (const auto& text : manifest.buildpacks) {
    packs.push_back(parse_pack(text));
    if (packs.back().directory.empty() && packs.back().commit.empty()) {
      throw UserError{fmt::format("[build] buildpacks in pushrod.toml: {} names no commit", quoted(text)),
                      "add it, so that every build uses the same: …#COMMIT"};
    }
  }
  if (!packs.empty()) return packs;
  const auto file = read_tree_file(tree.directory(), ".buildpacks", std::size_t{64} << 10);
  for (const auto& line : lines_of(file.value_or(""))) {
    const auto text = std::string(trim(line));
    if (text.empty() || text.starts_with('#')) continue;
    packs.push_back(parse_pack(text));
    if (packs.back().directory.empty() && packs.back().commit.empty()) {
      notices.push_back(
          fmt::format(".buildpacks: {} names no commit, so every build may use another version of it: add "
                      "#COMMIT",
                      escaped(text, 200)));
    }
  }
  return packs;
}

// What is common to all buildpacks of a build.
constexpr const char* kBegin = R"sh(unset BASH_ENV
export STACK="${STACK:-heroku-22}" REQUEST_ID="$(hostname)" SOURCE_VERSION="$GIT_COMMIT"
env_dir=/tmp/buildpack-env; rm -rf "$env_dir"; mkdir -p "$env_dir" /app/.pushrod
while IFS= read -r -d '' pair; do
  case ${pair%%=*} in
    PATH|HOME|PWD|OLDPWD|SHLVL|_|TMPDIR|LANG|STACK|REQUEST_ID|SOURCE_VERSION|APP|RELEASE|GIT_*|XDG_*|BASH_*) ;;
    *) printf %s "${pair#*=}" > "$env_dir/${pair%%=*}" ;;
  esac
done < <(env -0)
cat > /app/.pushrod/profile <<'END'
unset BASH_ENV
export HOME=/app
for file in /app/.profile.d/*.sh /app/.profile; do if [ -r "$file" ]; then . "$file"; fi; done
END
: > /app/.pushrod/web
buildpack() {
  chmod +x "$1"/bin/*
  found=$("$1/bin/detect" /app) || { echo "The buildpack $2 does not fit the app: its bin/detect says no" >&2; exit 1; }
  echo "Buildpack $2: $found"
  mkdir -p "/cache/buildpacks/$3"
  "$1/bin/compile" /app "/cache/buildpacks/$3" "$env_dir"
  if [ -f "$1/export" ]; then . "$1/export"; fi
  if [ ! -x "$1/bin/release" ]; then return; fi
  "$1/bin/release" /app > /tmp/release.yml
  section() { sed -n "/^$1:/,/^[^ ]/p" /tmp/release.yml | sed -nE 's/^ +(["'\'']?)([A-Za-z_][A-Za-z0-9_-]*)\1: *(["'\'']?)(.*)\3 *$/\2=\4/p'; }
  section default_process_types | sed -n 's/^web=//p' > /tmp/web
  if [ -s /tmp/web ]; then cp /tmp/web /app/.pushrod/web; fi
  section config_vars | while IFS='=' read -r name value; do
    printf 'export %s="${%s:-%s}"\n' "$name" "$name" "$value" >> /app/.pushrod/profile
  done
}
)sh";

std::string fetch(const Pack& pack, const std::string& into) {
  if (!pack.directory.empty()) {
    return fmt::format("cp -a {} {}\n", shell_quoted("/app/" + pack.directory), into);
  }
  if (pack.commit.empty()) return fmt::format("git clone --quiet --depth 1 {} {}\n", shell_quoted(pack.address), into);
  return fmt::format("git clone --quiet {} {}\ngit -C {} checkout --quiet {}\n", shell_quoted(pack.address), into, into,
                     shell_quoted(pack.commit));
}

}  // namespace

std::optional<BuildPlan> plan_buildpacks(const AppTree& tree, const AppManifest& manifest, const Host& host) {
  BuildPlan plan;
  const auto packs = packs_of(tree, manifest, plan.notices);
  if (packs.empty()) return std::nullopt;
  plan.builder = "buildpack";
  plan.environment = {{"PATH", path_variable()}, {"BASH_ENV", "/app/.pushrod/profile"}};
  std::vector<std::string> names;
  std::string script = kBegin;
  script += "rm -rf /tmp/buildpacks; mkdir -p /tmp/buildpacks\n";
  for (std::size_t at = 0; at < packs.size(); ++at) {
    const auto& pack = packs[at];
    if (!pack.directory.empty()) check_directory(tree.root, pack);
    if (pack.directory.empty()) require_program(host, "git", "git");
    const auto into = fmt::format("/tmp/buildpacks/{}", at);
    script += fetch(pack, into);
    script += fmt::format("buildpack {} {} {}\n", into, shell_quoted(escaped(pack.shown, 200)), at);
    names.push_back(escaped(pack.shown, 100));
  }
  plan.description = "buildpack " + join(names, ", ");
  if (manifest.processes.empty() && !in_tree(tree.directory(), "Procfile")) {
    script +=
        "if [ ! -s /app/.pushrod/web ]; then\n"
        "  echo 'No buildpack says how web is run (bin/release), and there is no Procfile' >&2; exit 1\nfi\n";
    plan.default_processes = {
        Process{.type = ProcessType::parse("web"), .command = ". /app/.pushrod/web", .health = {}}};
  }
  plan.steps = {{.command = script, .directory = "/app", .shown = plan.description}};
  return plan;
}

}  // namespace pushrod
