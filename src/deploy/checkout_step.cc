// The checkout step: the commit's files in a directory of their own.
#include "deploy/control.hh"
#include "deploy/placement.hh"
#include "deploy/steps.hh"
#include "git/checkout.hh"
#include "os/files.hh"

namespace pushrod {

Checkout check_out(Run& run, const Part& part) {
  const auto& layout = run.platform.layout;
  check_cancelled(run.cancel_fd);
  // The first part's is begun together with the deployment.
  if (&part != &run.parts.front()) run.platform.store.begin_step(run.group, Step::Checkout);
  run.journal.begin(run.parts.size() > 1 ? "Checking out for " + part.app.name.str() : "Checking out", "checking out");
  place_checkouts(run.platform, part.app, part.deployment.number);
  auto checkout = layout.checkout(part.app.name, part.deployment.number);
  make_directory(checkout.directory);
  write_checkout(run.repository, *run.change.commit, checkout.tree(), layout.spare_checkout(part.app.name));
  app_directory(checkout, part.app.path);  // throws unless the commit has it
  run.journal.end();
  return checkout;
}

}  // namespace pushrod
