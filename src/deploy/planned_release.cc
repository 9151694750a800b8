// The release that a commit would become.
// Floor 6.
#include "deploy/planned_release.hh"

#include <fmt/format.h>

#include "base/error.hh"
#include "base/text.hh"
#include "config/app_manifest.hh"

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

}  // namespace

PlannedRelease plan_release(const Platform& platform, const App& app, ReleaseNumber number, const CommitId& commit,
                            const std::filesystem::path& directory, Journal& journal) {
  auto manifest = load_manifest(directory, app.path);
  auto plan = plan_build(directory, manifest);
  for (const auto& notice : plan.notices) journal.complaint(notice);
  Release release{
      .app_id = app.id,
      .app = app.name,
      .number = number,
      .commit = commit,
      .checkout = number,
      .builder = plan.builder,
      .processes = with_health_defaults(platform.settings, scaled(platform, app, choose_processes(plan, manifest))),
      .environment = plan.environment,
      .settings = platform.store.settings(app.id),
      .crons = manifest.crons,
      .created = now(),
      .source = app.source(),
      .writable = manifest.writable};
  std::vector<std::string> missing;
  for (const auto& name : manifest.required_settings) {
    if (!release.settings.contains(SettingName::parse(name))) missing.push_back(name);
  }
  return {std::move(manifest), std::move(plan), std::move(release), std::move(missing)};
}

void check_settings(const PlannedRelease& planned) {
  if (planned.missing.empty()) return;
  const auto& app = planned.release.app.str();
  throw UserError(fmt::format("{} wants settings that it does not have: {}", app, join(planned.missing, ", ")),
                  fmt::format("set them, then push again: config set {} {}=…", app, planned.missing.front()));
}

}  // namespace pushrod
