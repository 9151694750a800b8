// /data and databases of a backup or a snapshot in the place of the app's own, before the build; undone like the rest
// (aside.hh).
#include <fmt/format.h>

#include "base/error.hh"
#include "deploy/aside.hh"
#include "deploy/control.hh"
#include "deploy/steps.hh"
#include "os/exchange.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

// Those that get other content.
std::vector<AppDatabase> databases_to_load(const Run& run, const Part& part) {
  auto databases = databases_of(run.platform, part.app);
  std::erase_if(databases,
                [&](const AppDatabase& database) { return !run.change.dumps.contains(database.service.id); });
  return databases;
}

void load_databases(Run& run, const Part& part, const std::vector<AppDatabase>& databases) {
  for (const auto& database : databases) {
    if (database.is_shared) continue;
    check_cancelled(run.cancel_fd);
    run.journal.now_doing("reading the dump of " + database.service.name.str());
    load_database(run.platform, part.app, database.service.id, run.change.dumps.at(database.service.id));
  }
}

}  // namespace

void exchange_data(Run& run) {
  if (!run.change.data) return;
  for (const auto& part : run.parts) {
    const auto& layout = run.platform.layout;
    const auto aside = aside_data(layout, part.deployment);
    const auto databases = databases_to_load(run, part);
    const auto what = databases.empty() ? "/data" : "/data and databases";
    run.journal.begin(fmt::format("Exchanging {}", what), fmt::format("exchanging {}", what));
    make_directory(layout.data(part.app.name));
    AsideMark mark{.changed = identity_of(*run.change.data)};
    if (run.change.keeps_snapshot) mark.keep = part.app.live;
    write_mark(layout, part.deployment, mark);
    rename_path(*run.change.data, aside);
    flush_file_system(layout.root());
    end_writers(run, part);
    put_databases_aside(run.platform, databases, part.deployment, run.journal);
    flush_file_system(layout.root());
    mark.databases = true;
    write_mark(layout, part.deployment, mark);
    if (!exchange_paths(aside, layout.data(part.app.name))) {
      throw UserError("the file system of the root directory cannot exchange two directories at once",
                      "restore under another name: backup restore APP NEW");
    }
    load_databases(run, part, databases);
    run.journal.end();
  }
}

}  // namespace pushrod
