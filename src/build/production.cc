// What languages and frameworks read to tell production from development.
#include <array>

#include "build/builders.hh"

namespace pushrod {

namespace {

struct Default {
  const char* file;  // of apps to which it matters
  const char* variable;
  const char* value;
};
constexpr std::array<Default, 9> kDefaults{{
    {"package.json", "NODE_ENV", "production"},
    {"Gemfile", "RAILS_ENV", "production"},
    {"Gemfile", "RACK_ENV", "production"},
    {"Gemfile", "RAILS_LOG_TO_STDOUT", "enabled"},
    {"Gemfile", "RAILS_SERVE_STATIC_FILES", "enabled"},
    {"config.ru", "RACK_ENV", "production"},
    {"go.mod", "GIN_MODE", "release"},
    {"mix.exs", "MIX_ENV", "prod"},
    {"deno.json", "DENO_ENV", "production"},
}};

}  // namespace

void add_production_defaults(const AppTree& tree, BuildPlan& plan) {
  for (const auto& each : kDefaults) {
    if (tree.nearest({each.file})) plan.environment.emplace(each.variable, each.value);
  }
}

}  // namespace pushrod
