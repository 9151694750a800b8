// The end of the tree, asked for with SIGTERM or Ctrl-C.
// s6-svscan starts this program under the signal's name, with the scan directory as its directory: first what
// is being deployed is undone, then jobs and connections end, then all else.
#include "tree/stop.hh"

#include <csignal>
#include <set>
#include <thread>

#include "base/error.hh"
#include "deploy/attempt.hh"
#include "deploy/control.hh"
#include "deploy/jobs.hh"
#include "engine/local/local_tree.hh"
#include "os/command.hh"
#include "os/file_lock.hh"
#include "tree/context.hh"

namespace pushrod {

namespace {

constexpr Milliseconds kCancelDeadline{15'000};
constexpr Milliseconds kCancelPause{20};
constexpr Milliseconds kConnectionEnd{5'000};

// A deployment is cancelled. A fallback is killed: when it is cancelled, its watch ends and the app stays with the
// release that keeps ending; one that was killed is undone, and begins again at the next start.
bool end(const Platform& platform, const Deployment& deployment) {
  if (rules_of(deployment.kind).watch != WatchRule::FallsBack) return request_cancel(platform, deployment.group);
  return signal_holder(platform.layout.group_lock(deployment.group), SIGKILL);
}

// Clients learn that nothing has changed, while what was begun can still be undone in order.
void cancel_deployments(const Platform& platform) {
  const Deadline deadline(kCancelDeadline);
  std::set<std::int64_t> told;
  while (true) {
    bool any = false;
    for (const auto& deployment : platform.store.unfinished_deployments()) {
      if (told.contains(deployment.group)) {
        any = any || lock_holder(platform.layout.group_lock(deployment.group)).has_value();
      } else if (end(platform, deployment)) {
        told.insert(deployment.group);
        any = true;
      }
    }
    if (!any || deadline.passed()) return;
    std::this_thread::sleep_for(kCancelPause);  // no event tells when others are done
  }
}

}  // namespace

int stop_tree() {
  const auto root = std::filesystem::current_path().parent_path().parent_path();
  const LocalTree tree(Layout(root), own_program().parent_path());
  attempt("stopping", [&] {
    Context context(root, {});
    cancel_deployments(context.platform());
  });
  attempt("stopping", [&] {
    tree.stop("daemon");  // it would go on starting what is due by the clock
    Context context(root, {});
    const auto platform = context.platform();
    stop_jobs(platform, platform.store.running_jobs());
  });
  // A connection that a client leaves open must not delay the end; it would, through sshd's log.
  attempt("stopping", [&] { tree.stop_with_children("sshd", kConnectionEnd); });
  // Deployments that the daemon or a client has begun meanwhile.
  attempt("stopping", [&] {
    Context context(root, {});
    cancel_deployments(context.platform());
  });
  tree.stop_all();
  return kExitOk;
}

}  // namespace pushrod
