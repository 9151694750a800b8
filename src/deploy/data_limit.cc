// [limits] data_bytes.
#include "deploy/data_limit.hh"

#include <fmt/format.h>

#include "base/text.hh"
#include "os/command.hh"
#include "os/disk_use.hh"

namespace pushrod {

void stop_overfull_apps(const Platform& platform) {
  const auto limit = platform.settings.data_bytes;
  if (limit == 0) return;
  for (const auto& app : platform.store.apps()) {
    if (app.stopped || !app.live) continue;
    const auto use = measure_disk_use(platform.layout.data(app.name));
    if (use.bytes <= limit) continue;
    // A process of its own: this one has threads.
    Command halt;
    halt.argv = {own_program().string(), "--root", platform.layout.root().string(), "halt", "--app", app.name.str()};
    halt.argv.insert(halt.argv.end(), {"--reason", fmt::format("/data has {}, more than the {} of [limits] data_bytes",
                                                               format_bytes(use.bytes), format_bytes(limit))});
    run_checked(halt);
  }
}

}  // namespace pushrod
