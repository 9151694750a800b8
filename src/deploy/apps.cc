// Making and destroying apps.
// Floor 6.
#include "deploy/apps.hh"

#include <fmt/format.h>

#include "base/error.hh"
#include "deploy/deploy.hh"
#include "deploy/instances.hh"
#include "deploy/jobs.hh"
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
  const Deadline deadline(kEndDeadline);
  for (auto left = platform.engine.remove(names); !left.empty();) {
    if (deadline.passed()) throw Error(fmt::format("{} does not end", left.front().str()), "try again");
    left = platform.engine.remove(left);
  }
}

void remove_branch(const Platform& platform, const App& app) {
  if (platform.store.apps_of(app.repo).size() == 1) {
    remove_tree(platform.layout.repo(app.repo));
    return;
  }
  if (platform.store.apps_of(app.repo, app.branch).size() > 1) return;
  const Repository repository(platform.layout.repo(app.repo));
  if (const auto head = repository.head_of(app.branch)) repository.delete_branch(app.branch, head);
}
}  // namespace

App create_app(const Platform& platform, const AppName& name, const RepoName& repo, const BranchName& branch,
               const std::string& path) {
  if (platform.store.app(name)) throw UserError(fmt::format("there is an app {} already", name.str()));
  Repository::create(platform.layout.repo(repo), platform.layout.hooks(), platform.settings);
  auto app = platform.store.add_app(name, repo, branch, path);
  publish_routes(platform);
  return app;
}

void destroy_app(const Platform& platform, const App& app) {
  for (const auto& deployment : platform.store.unfinished_deployments()) {
    if (deployment.app_id == app.id) request_cancel(platform, deployment.group);
  }
  const auto lock = FileLock::acquire(platform.layout.app_lock(app.name));
  lock.announce(fmt::format("the destruction of {}", app.name.str()));
  end_instances(platform, app);
  const auto no_job_begins = end_all_jobs(platform, app.id);
  const auto& layout = platform.layout;
  for (const auto& directory : {layout.checkouts(app.name), layout.releases(app.name), layout.cache(app.name),
                                layout.data(app.name), layout.logs(app.name)}) {
    remove_tree(directory);
  }
  remove_branch(platform, app);
  platform.store.remove_app(app.id);
  publish_routes(platform);
}

}  // namespace pushrod
