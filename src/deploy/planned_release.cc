// The release that a commit would become.
#include "deploy/planned_release.hh"

#include <fmt/format.h>

#include "base/error.hh"
#include "base/text.hh"
#include "build/writable.hh"
#include "config/app_manifest.hh"
#include "model/source.hh"
#include "store/vault.hh"

namespace pushrod {

namespace {

// A release is complete: what its app leaves to the operator is written down with it.
ProcessTable with_health_defaults(const Settings& settings, ProcessTable processes) {
  for (auto& process : processes) {
    if (!process.health.settle) process.health.settle = settings.settle;
    if (!process.health.watch) process.health.watch = settings.watch;
  }
  return processes;
}

// The counts that the operator has set go before those of the app's files.
ProcessTable scaled(const Platform& platform, const App& app, ProcessTable processes) {
  const auto counts = platform.store.counts(app.id);
  for (auto& process : processes) {
    const auto count = counts.find(process.type);
    if (count == counts.end()) continue;
    process.count = count->second;
    process.is_scaled = true;
  }
  return processes;
}

// What the router does with requests is released with the process that gets them.
ProcessTable with_http_rules(ProcessTable processes, const HttpRules& rules) {
  for (auto& process : processes) {
    if (process.is_routed()) process.http = rules;
  }
  return processes;
}

// They become settings of the app when the release goes live.
void add_generated(const Platform& platform, const AppManifest& manifest, Release& release) {
  for (const auto& text : manifest.generated_settings) {
    const auto name = SettingName::parse(text);
    if (release.settings.contains(name)) continue;
    release.settings[name] = {.sealed = platform.store.vault().seal(release.app_id, name, random_secret()),
                              .secret = true};
  }
}

}  // namespace

Source planned_source(const App& app, const AppManifest& manifest) {
  auto source = app.source();
  if (source.build_root || !manifest.build_root) return source;
  try {
    source.build_root = parse_build_root(*manifest.build_root, app.path, BuildRootForm::RelativeToPath);
    source.manifest_root = true;
  } catch (const UserError& error) {
    throw UserError(fmt::format("{}: {}", escaped(manifest_of(source)), error.message()), error.hint());
  }
  return source;
}

PlannedRelease plan_release(const Platform& platform, const App& app, ReleaseNumber number, const CommitId& commit,
                            const std::filesystem::path& tree, Journal& journal, const SettingChanges& settings) {
  auto manifest = load_manifest(app.path.empty() ? tree : tree / app.path, app.path, app.config);
  const auto source = planned_source(app, manifest);
  const auto root = root_of(source);
  auto plan = plan_build({root.empty() ? tree : tree / root, path_in_root(source)}, manifest);
  for (const auto& [name, value] : manifest.environment) {
    if (name != "PATH" && name != "VIRTUAL_ENV") plan.environment[name] = value;
  }
  for (const auto& notice : plan.notices) journal.complaint(notice);
  if (const auto above = source.build_root ? std::nullopt : package_above(tree, app.path)) {
    const auto directory = above->empty() ? "." : shell_quoted(*above);
    journal.complaint(fmt::format("{} uses {}, which it does not see: app set {} --build-root {}", escaped(app.path),
                                  escaped(above->empty() ? "package.json" : *above + "/package.json"), app.name.str(),
                                  directory));
  }
  auto processes = scaled(platform, app, choose_processes(plan, manifest));
  processes = with_http_rules(std::move(processes), manifest.http);
  Release release{.app_id = app.id,
                  .app = app.name,
                  .number = number,
                  .commit = commit,
                  .checkout = number,
                  .builder = plan.builder,
                  .processes = with_health_defaults(platform.settings, std::move(processes)),
                  .environment = plan.environment,
                  .settings = with_changes(platform.store.settings(app.id), settings),
                  .crons = manifest.crons,
                  .created = now(),
                  .source = source,
                  .writable = manifest.writable,
                  .mounts = plan.mounts,
                  .host_mounts = manifest.host_mounts};
  add_generated(platform, manifest, release);
  if (manifest.first_command && !app.live) {
    auto& command = manifest.release_command;
    command = (command ? *command + "\n" : "") + *manifest.first_command;
  }
  std::vector<std::string> missing;
  for (const auto& name : manifest.required_settings) {
    if (!release.settings.contains(SettingName::parse(name))) missing.push_back(name);
  }
  auto known = known_writable(app.path.empty() ? tree : tree / app.path, release.processes);
  return {std::move(manifest), std::move(plan), std::move(release), std::move(known), std::move(missing)};
}

void check_settings(const PlannedRelease& planned) {
  auto missing = planned.missing;
  std::erase_if(missing,
                [&](const std::string& name) { return planned.release.settings.contains(SettingName::parse(name)); });
  if (missing.empty()) return;
  const auto& app = planned.release.app.str();
  throw UserError(fmt::format("{} requires settings that are not set: {}", app, join(missing, ", ")),
                  fmt::format("set them, then push again: config set {} {}=…", app, missing.front()));
}

}  // namespace pushrod
