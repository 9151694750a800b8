// The environments of a release's programs.
#include "deploy/environments.hh"

#include <fmt/format.h>

#include "build/layer.hh"

namespace pushrod {

namespace {

EnvironmentLayers layers_of(const Platform& platform, const Release& release, EnvironmentLayers::For use) {
  EnvironmentLayers layers;
  layers.use = use;
  layers.builder = release.environment;
  const auto settings =
      use == EnvironmentLayers::For::Build ? visible_in_build(release.settings) : visible_at_run_time(release.settings);
  if (!settings.empty()) layers.settings = platform.store.vault().open_all(release.app_id, settings);
  layers.own = {
      {"APP", release.app.str()}, {"RELEASE", std::to_string(release.number)}, {"GIT_COMMIT", release.commit.str()}};
  if (use != EnvironmentLayers::For::Build) layers.own["DATA_DIR"] = "/data";
  return layers;
}

EnvironmentLayers layers_of_build(const Platform& platform, const Release& release, const BuildPlan& plan) {
  auto layers = layers_of(platform, release, EnvironmentLayers::For::Build);
  layers.administrator = platform.settings.build_environment;
  layers.caches = cache_variables(plan);
  layers.builder.insert(plan.build_environment.begin(), plan.build_environment.end());
  return layers;
}

}  // namespace

Environment build_environment(const Platform& platform, const Release& release, const BuildPlan& plan) {
  return compose(layers_of_build(platform, release, plan));
}

EnvironmentLayers layers_of_layer(const Platform& platform, const Release& release, const BuildPlan& plan,
                                  const LayerPlan& layer) {
  auto layers = layers_of_build(platform, release, plan);
  layers.settings = layer_settings(layer, layers.settings);
  layers.own.clear();
  return layers;
}

Environment release_command_environment(const Platform& platform, const Release& release) {
  return compose(layers_of(platform, release, EnvironmentLayers::For::Release));
}

Environment process_environment(const Platform& platform, const Release& release, const InstanceName& name,
                                std::optional<Port> port, const std::map<Port, Port>& ports) {
  auto layers = layers_of(platform, release, EnvironmentLayers::For::Process);
  layers.own["PROCESS"] = name.type.str();
  layers.own["INSTANCE"] = name.str();
  if (port) layers.own["PORT"] = std::to_string(*port);
  for (const auto& [listed, leased] : ports) layers.own[fmt::format("PORT_{}", listed)] = std::to_string(leased);
  return compose(layers);
}

}  // namespace pushrod
