// [release] snapshot: /data and databases as they are before the release command. An undo brings them back (aside.hh);
// the commit keeps them, for a rollback with data.
#include <fmt/format.h>

#include "archive/data_copy.hh"
#include "base/error.hh"
#include "base/text.hh"
#include "deploy/aside.hh"
#include "deploy/control.hh"
#include "deploy/steps.hh"
#include "os/disk_use.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

void check_room(const Platform& platform, const fs::path& data) {
  const auto needed = measure_disk_use(data).bytes;
  const auto least = platform.settings.free_space;
  if (free_bytes(platform.layout.root()) >= needed + least) return;
  throw UserError(fmt::format("not enough disk space for a snapshot: /data takes {}, and {} must stay free "
                              "([retention] free_space)",
                              format_bytes(needed), format_bytes(least)),
                  "make room (pushrod prune), or push without [release] snapshot");
}

}  // namespace

void take_snapshot(Run& run, const Part& part, const Built& built) {
  // What a backup or another snapshot has taken the place of is aside already.
  if (!built.takes_snapshot || run.change.data) return;
  check_cancelled(run.cancel_fd);
  const auto& layout = run.platform.layout;
  const auto data = layout.data(part.app.name);
  run.platform.store.begin_step(run.group, Step::Release);
  run.journal.begin("Taking a snapshot of /data and databases", "taking a snapshot");
  make_directory(data);
  check_room(run.platform, data);
  end_writers(run, part);
  run.journal.now_doing("copying /data");
  copy_data(layout, data, aside_data(layout, part.deployment));
  put_databases_aside(run.platform, databases_of(run.platform, part.app), part.deployment, run.journal);
  flush_file_system(layout.root());
  write_mark(layout, part.deployment, {.changed = identity_of(data), .databases = true, .keep = part.app.live});
  run.journal.end();
}

}  // namespace pushrod
