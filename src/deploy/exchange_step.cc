// /data of a backup in the place of the app's own.
// A file says which directory is the restored one before the two change places at once, so that undoing knows from the
// disk alone whether they have.
#include "deploy/exchange_step.hh"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/error.hh"
#include "base/text.hh"
#include "deploy/await_end.hh"
#include "deploy/plans.hh"
#include "deploy/steps.hh"
#include "deploy/trash.hh"
#include "os/exchange.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

// No app has such a name. Beside /data: two names of one directory can change places.
fs::path staged_data(const Layout& layout, const Deployment& deployment) {
  const auto name = fmt::format(".restore.{}.{}", deployment.app_id, deployment.number);
  return layout.root() / "data" / name;
}
fs::path mark_of(const fs::path& staged) { return staged.string() + ".mark"; }

std::string identity_of(const fs::path& directory) {
  struct stat status = {};
  if (lstat(directory.c_str(), &status) != 0) throw_errno("looking at " + directory.string());
  return fmt::format("{}:{}", status.st_dev, status.st_ino);
}

// All that may write to /data.
void stop_instances(Run& run, const Part& part) {
  auto instances = run.platform.store.instances(part.app.id);
  std::erase_if(instances, [](const Instance& one) { return one.state == InstanceState::Starting; });
  std::vector<InstanceName> names;
  for (const auto& one : instances) names.push_back(one.name);
  Milliseconds longest{0};
  for (const auto& process : processes_of(run.platform, part.app, instances)) {
    longest = std::max(longest, process.stop_timeout);
  }
  run.platform.engine.stop(names);
  const auto left = await_end(run.platform, names, longest + Milliseconds{5'000});
  if (!left.empty()) throw Error(fmt::format("instance {} does not stop", left.front().str()), "try again");
}

void remove_staged(const Layout& layout, const fs::path& staged) {
  if (is_directory(staged)) discard(layout, staged);
  remove_file(mark_of(staged));
}

}  // namespace

void exchange_data(Run& run) {
  if (!run.change.data) return;
  for (const auto& part : run.parts) {
    const auto& layout = run.platform.layout;
    const auto staged = staged_data(layout, part.deployment);
    run.journal.begin("Exchanging /data", "exchanging /data");
    make_directory(layout.data(part.app.name));
    write_file(mark_of(staged), identity_of(*run.change.data));
    rename_path(*run.change.data, staged);
    flush_file_system(layout.root());
    hold_requests(run, part);
    stop_instances(run, part);
    if (!exchange_paths(staged, layout.data(part.app.name))) {
      throw UserError("the file system of the root directory cannot exchange two directories at once",
                      "restore under another name: backup restore APP NEW");
    }
    run.journal.end();
  }
}

void undo_exchange(const Layout& layout, const App& app, const Deployment& deployment) {
  const auto staged = staged_data(layout, deployment);
  const auto mark = read_file(mark_of(staged));
  if (!mark) return;
  const auto data = layout.data(app.name);
  if (is_directory(staged) && is_directory(data) && identity_of(data) == *mark) exchange_paths(staged, data);
  remove_staged(layout, staged);
}

void end_exchange(const Layout& layout, const Deployment& deployment) {
  const auto staged = staged_data(layout, deployment);
  if (read_file(mark_of(staged))) remove_staged(layout, staged);
}

}  // namespace pushrod
