// The commit point of a change that moves a ref (I1).
#include "deploy/steps.hh"

namespace pushrod {

void move_ref(const Run& run, EarlyGit* mover) {
  const auto& change = run.change;
  const auto head = run.repository.head_of(change.branch);
  switch (rules_of(change.kind).ref) {
    case RefChange::Advance:
      run.repository.move_branch(change.branch, *change.commit, head, mover);
      run.repository.set_default_branch(change.branch);
      break;
    case RefChange::Return:
      if (head != change.commit) run.repository.move_branch(change.branch, *change.commit, head);
      break;
    case RefChange::Delete:
      run.repository.delete_branch(change.branch, head);
      break;
    case RefChange::None:
    case RefChange::Create:
      break;
  }
}

}  // namespace pushrod
