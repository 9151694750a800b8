// An app whose first version has not been pushed yet, and what must be true after a deployment that fails.
// Used by the tests of deploy() only.
#pragma once

#include "os/unique_fd.hh"
#include "world.hh"

namespace pushrod {

// A descriptor that asks for a cancellation from now() on.
class Cancel {
 public:
  Cancel() : pipe_(make_pipe()) {}
  void now() const { write_all(pipe_.write_end.get(), "x", "cancelling"); }
  int fd() const { return pipe_.read_end.get(); }

 private:
  Pipe pipe_;
};

class Pipeline : public DeployTest {
 protected:
  Pipeline() {
    add_app("blog");
    first_ = version(1);
  }
  void deploy_first() {
    ASSERT_TRUE(run(push_of(*first_)).outcome.live);
    reconcile();
    check_invariants("after the first push");
  }
  Deployment newest() { return store().deployments(app("blog").id, 1).front(); }
  // Nothing but the record of the attempt is there afterwards.
  void expect_unchanged_by(const std::function<void()>& attempt) {
    const auto before = everything();
    attempt();
    EXPECT_EQ(everything(), before);
    reconcile();
    EXPECT_EQ(everything(), before);
    EXPECT_TRUE(store().unfinished_deployments().empty());
  }
  std::optional<CommitId> first_;
};

}  // namespace pushrod
