// Making and destroying apps.
#include "deploy/apps.hh"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hh"
#include "deploy/aside.hh"
#include "deploy/await_end.hh"
#include "deploy/control.hh"
#include "deploy/jobs.hh"
#include "deploy/traffic.hh"
#include "deploy/trash.hh"
#include "git/repository.hh"
#include "os/file_lock.hh"
#include "os/files.hh"

namespace pushrod {

namespace {
constexpr Milliseconds kEndDeadline{10'000};

void end_instances(const Platform& platform, const App& app) {
  std::vector<InstanceName> names;
  for (const auto& instance : platform.store.instances(app.id)) {
    platform.store.set_instance_state(instance.name, InstanceState::Stopping);
    names.push_back(instance.name);
  }
  publish_routes(platform);
  platform.engine.kill(names);
  const auto left = await_end(platform, names, kEndDeadline);
  if (!left.empty()) throw Error(fmt::format("instance {} does not stop", left.front().str()), "try again");
}

void discard_if_there(const Layout& layout, const fs::path& directory) {
  std::error_code ignored;
  if (fs::symlink_status(directory, ignored).type() != fs::file_type::not_found) discard(layout, directory);
}

// What no other app needs of the repo. The caller holds its lock.
void remove_branch(const Platform& platform, const App& app) {
  auto others = platform.store.apps_of(app.repo);
  std::erase_if(others, [&](const App& other) { return other.id == app.id; });
  if (others.empty()) {
    discard_if_there(platform.layout, platform.layout.repo(app.repo));
    return;
  }
  const auto is_on_branch = [&](const App& other) { return other.branch == app.branch; };
  if (std::any_of(others.begin(), others.end(), is_on_branch)) return;
  const Repository repository(platform.layout.repo(app.repo));
  if (const auto head = repository.head_of(app.branch)) repository.delete_branch(app.branch, head);
}

// Jobs of every app wait meanwhile, so large directories are only put out of the way.
void remove_what_is_its_own(const Platform& platform, const App& app) {
  const auto no_job_begins = end_all_jobs(platform, app.id);
  const auto& layout = platform.layout;
  for (const auto& directory : {layout.checkouts(app.name), layout.releases(app.name), layout.cache(app.name),
                                layout.data(app.name), layout.logs(app.name), snapshots_directory(layout, app.id)}) {
    discard_if_there(layout, directory);
  }
  platform.engine.forget_app(app.name);
  platform.store.set_settings(app.id, {});
  platform.store.follow_attachments_of(app.id);  // the daemon closes its accounts
  const auto repo_lock = FileLock::acquire(layout.repo_lock(app.repo));
  remove_branch(platform, app);
  platform.store.remove_app(app.id);
}
}  // namespace

App create_app(const Platform& platform, const AppName& name, const Source& source) {
  if (platform.store.app(name)) throw UserError(fmt::format("app {} already exists", name.str()));
  for (const auto& deployment : platform.store.unfinished_deployments()) {
    const auto renaming = renaming_of(deployment);
    if (!renaming || renaming->to != name) continue;
    throw UserError(fmt::format("app {} is being renamed to {}", renaming->from.str(), name.str()),
                    "choose another name");
  }
  // Without the lock, destroying the repo's last app at this moment would remove the repo.
  const auto repo_lock = FileLock::acquire(platform.layout.repo_lock(source.repo));
  Repository::create(platform.layout.repo(source.repo), platform.layout.hooks(), platform.settings);
  auto app = platform.store.add_app(name, source);
  publish_routes(platform);
  return app;
}

void move_app(const Platform& platform, const App& app, const Source& source) {
  const auto lock = FileLock::acquire(platform.layout.app_lock(app.name));
  const auto now = platform.store.app(app.id);
  if (!now || now->name != app.name || now->live) {
    throw UserError(fmt::format("app {} was changed in the meantime", app.name.str()),
                    fmt::format("check it (app info {}), and try again", app.name.str()));
  }
  const auto repo_lock = FileLock::acquire(platform.layout.repo_lock(source.repo));
  Repository::create(platform.layout.repo(source.repo), platform.layout.hooks(), platform.settings);
  platform.store.set_source(app.id, source);
}

void destroy_app(const Platform& platform, const App& app) {
  for (const auto& deployment : platform.store.unfinished_deployments()) {
    if (deployment.app_id == app.id) request_cancel(platform, deployment.group);
  }
  const auto lock = FileLock::acquire(platform.layout.app_lock(app.name));
  lock.announce(fmt::format("the destruction of {}", app.name.str()));
  const auto still = platform.store.app(app.id);
  if (still && still->name != app.name) {
    throw UserError(fmt::format("app {} was renamed to {} in the meantime", app.name.str(), still->name.str()));
  }
  if (!still) {
    throw UserError(fmt::format("app {} was destroyed in the meantime", app.name.str()));
  }
  end_instances(platform, app);
  remove_what_is_its_own(platform, app);
  publish_routes(platform);
  // Several node_modules take a while. The daemon may also be emptying the trash already, which holds its lock.
  if (!wake_daemon(platform)) empty_trash(platform.layout);
}

}  // namespace pushrod
