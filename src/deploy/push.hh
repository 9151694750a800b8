// From what proc-receive was asked to deployments, one per branch, and back to a report per ref.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "deploy/deploy.hh"
#include "deploy/verdict.hh"
#include "git/protocol.hh"

namespace pushrod {

inline constexpr std::string_view kRebuild = "rebuild";   // the push option that leaves kept builds alone
inline constexpr std::string_view kNoCache = "no-cache";  // and the one that leaves layers and caches alone, too

// What the caller records of each branch that is deployed, within transactions of its deployments (see Observer):
// `begin` before anything is changed, `live` at the end. `undone`: the transaction around `begin` was undone.
struct PushRecords {
  std::function<void(const RefCommand&)> begin, undone, live;
};

// One report per verdict, in their order. Each branch is deployed whole or not at all, one after the other. A tag is
// left to git when a branch beside it has gone live, or when the tag is deleted. An atomic push goes on only if no ref
// of it is refused and it deploys at most one branch.
std::vector<RefReport> deploy_push(const Platform& platform, const RepoName& repo, const ProcReceiveRequest& request,
                                   const std::vector<RefVerdict>& verdicts, const std::string& author, Journal& journal,
                                   int cancel_fd, const PushRecords& records = {});

}  // namespace pushrod
