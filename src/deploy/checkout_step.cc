// The checkout step: the commit's files in a directory of their own.
#include "deploy/checkouts.hh"
#include "deploy/control.hh"
#include "deploy/steps.hh"
#include "git/checkout.hh"
#include "os/files.hh"

namespace pushrod {

void check_out(Run& run, Part& part) {
  const auto& layout = run.platform.layout;
  check_cancelled(run.cancel_fd);
  // The first part's is begun together with the deployment.
  if (&part != &run.parts.front()) run.platform.store.begin_step(run.group, Step::Checkout);
  run.journal.begin(run.parts.size() > 1 ? "Checking out for " + part.app.name.str() : "Checking out", "checking out");
  place_checkouts(run.platform, part.app, part.deployment.number);
  make_directory(part.checkout.directory);
  write_checkout(run.repository, *run.change.commit, part.checkout.tree(), layout.spare_checkout(part.app.name));
  app_directory(part.checkout, part.app.path);  // throws unless the commit has it
  run.journal.end();
}

}  // namespace pushrod
