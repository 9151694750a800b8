// The commit point of a change that moves a ref (I1).
#include "deploy/steps.hh"

namespace pushrod {

void move_ref(const Run& run) {
  const auto& change = run.change;
  const auto head = run.repository.head_of(change.branch);
  if (change.kind == DeploymentKind::Push) {
    run.repository.move_branch(change.branch, *change.commit, head, run.ref_mover.get());
    run.repository.set_default_branch(change.branch);
  } else if (change.kind == DeploymentKind::Rollback || change.kind == DeploymentKind::Fallback) {
    if (head != change.commit) run.repository.move_branch(change.branch, *change.commit, head);
  } else if (change.kind == DeploymentKind::Remove) {
    run.repository.delete_branch(change.branch, head);
  }
}

}  // namespace pushrod
