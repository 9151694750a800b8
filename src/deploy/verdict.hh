// The cheap verdict on a push, while its objects are still in quarantine: may these refs change like that?
// Floor 6. Called by the pre-receive hook; a refused push leaves no object behind.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "deploy/platform.hh"
#include "git/protocol.hh"
#include "git/repository.hh"

namespace pushrod {

// Why a push is refused: each with what to do about it.
struct Refusal {
  std::string reason;
  std::string hint;
};

// Empty: the push may go on. `key`: whose push it is; absent for a push on this machine by the operator.
std::vector<Refusal> judge_push(const Platform& platform, const RepoName& repo, const Repository& repository,
                                const std::vector<RefCommand>& commands, const std::vector<std::string>& push_options,
                                const std::optional<Key>& key);

}  // namespace pushrod
