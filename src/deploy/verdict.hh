// The verdict on a push: which of its refs may change like that?
// Pre-receive asks first, while the objects are in quarantine: a push of which nothing is accepted leaves no
// object behind. Each ref is judged by itself, and git offers no way to hand the verdict on, so proc-receive asks
// again.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "deploy/platform.hh"
#include "git/protocol.hh"
#include "git/repository.hh"

namespace pushrod {

// Why something is refused, and what to do about it.
struct Refusal {
  std::string reason;
  std::string hint;
};

enum class Fate {
  Deploy,  // a branch with apps: they are deployed, or removed with their branch
  Store,   // a tag: git stores or deletes it
  Refuse,
};

struct RefVerdict {
  RefCommand command;
  Fate fate = Fate::Refuse;
  Refusal refusal;  // with Fate::Refuse
};

// Push options that are unknown or confirm nothing. Any of them refuses the whole push.
std::vector<Refusal> judge_options(const std::vector<RefCommand>& commands, const std::vector<std::string>& options);

// One verdict per command, in their order. `key`: whose push it is; absent for a push on this machine by the operator.
// Tags are stored beside a branch that is deployed, and refused without one; they can always be deleted.
// Throws UserError when there is something to deploy, and this machine cannot run apps.
std::vector<RefVerdict> judge_push(const Platform& platform, const RepoName& repo, const Repository& repository,
                                   const std::vector<RefCommand>& commands, const std::vector<std::string>& options,
                                   const std::optional<Key>& key);

// The same, for a push that pre-receive has let pass: trees are not looked through a second time when that tells
// nothing new.
std::vector<RefVerdict> judge_again(const Platform& platform, const RepoName& repo, const Repository& repository,
                                    const std::vector<RefCommand>& commands, const std::vector<std::string>& options,
                                    const std::optional<Key>& key);

}  // namespace pushrod
