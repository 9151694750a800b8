// Elixir: mix.exs → mix release. What Hex and Mix download is kept in the app's cache.
#include <fmt/format.h>

#include "base/text.hh"
#include "build/languages.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

// "shop" of "app: :shop,".
std::string app_name(const std::string& mix) {
  for (const auto& line : lines_of(mix)) {
    const auto text = trim(line);
    constexpr std::string_view kApp = "app: :";
    if (!text.starts_with(kApp)) continue;
    const auto name = text.substr(kApp.size());
    return std::string(name.substr(0, name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_")));
  }
  return {};
}

}  // namespace

std::optional<BuildPlan> plan_elixir(const AppTree& tree, const std::string& where, const Host& host) {
  const auto directory = tree.root / where;
  const auto mix = read_tree_file(directory, "mix.exs", std::size_t{1} << 20);
  if (!mix) return std::nullopt;
  require_program(host, "mix", "elixir erlang-dev");
  BuildPlan plan;
  plan.language = "Elixir";
  plan.environment = {
      {"PATH", path_variable()}, {"PHX_SERVER", "true"}, {"RELEASE_TMP", "/tmp"}, {"RELEASE_DISTRIBUTION", "none"}};
  plan.build_environment = {{"HEX_HOME", "/cache/hex"}};
  std::string build;
  if (in_tree(directory, "mix.lock")) {
    build = "mix local.hex --force --if-missing\nmix local.rebar --force --if-missing\nmix deps.get --only prod\n";
  }
  build += "if mix help assets.deploy > /dev/null 2>&1; then mix assets.deploy; fi\nmix release --overwrite\n";
  plan.description = "Elixir, mix.exs, mix release";
  plan.steps = {step_in(tree, where, build)};
  plan.steps.back().shown = "mix release";
  if (const auto name = app_name(*mix); !name.empty()) {
    plan.guessed_web =
        Process{.type = ProcessType::parse("web"),
                .command = fmt::format("exec {0}/_build/prod/rel/{1}/bin/{1} start", in_sandbox(where), name),
                .health = {}};
  }
  plan.looked_for = "no \"app: :NAME\" in mix.exs";
  return plan;
}

}  // namespace pushrod
