// The checkout step: the commit's files in a directory of their own.
// Floor 6.
#include <fmt/format.h>

#include "base/error.hh"
#include "base/text.hh"
#include "deploy/checkouts.hh"
#include "deploy/steps.hh"
#include "git/checkout.hh"
#include "os/files.hh"

namespace pushrod {

void check_out(Run& run, Part& part) {
  const auto& layout = run.platform.layout;
  check_cancelled(run);
  // The first part's is begun together with the deployment.
  if (&part != &run.parts.front()) run.platform.store.begin_step(run.group, Step::Checkout);
  run.journal.begin(run.parts.size() > 1 ? "Checking out for " + part.app.name.str() : "Checking out");
  place_checkouts(run.platform, part.app, part.deployment.number);
  make_directory(part.checkout.directory);
  write_checkout(run.repository, *run.change.commit, part.checkout.tree(), layout.spare_checkout(part.app.name));
  if (!part.app.path.empty()) {
    // A symlink on the way would lead somewhere else, so every part must be a directory itself.
    auto directory = part.checkout.tree();
    for (const auto& name : split(part.app.path, '/')) {
      directory /= name;
      if (!is_directory(directory)) {
        throw UserError(fmt::format("the commit has no directory {}, the path of app {}", quoted(part.app.path),
                                    part.app.name.str()),
                        "push a commit that has it, or create the app with another --path");
      }
    }
  }
  run.journal.end();
}

}  // namespace pushrod
