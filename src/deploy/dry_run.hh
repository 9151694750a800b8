// `git push -o dry-run`: what the push would do.
// Runs in pre-receive, after the verdict: the objects are in quarantine and go with it. Nothing is changed; the few
// files that show how an app is built are written into the quarantine, which git removes, also when this process is
// killed.
#pragma once

#include <string>
#include <vector>

#include "deploy/journal.hh"
#include "deploy/platform.hh"
#include "deploy/verdict.hh"
#include "git/protocol.hh"
#include "git/repository.hh"

namespace pushrod {

inline constexpr std::string_view kDryRun = "dry-run";  // the push option

// For the refs that are not refused.
void tell_dry_run(const Platform& platform, const RepoName& repo, const Repository& repository,
                  const std::vector<RefVerdict>& verdicts, Journal& journal);

}  // namespace pushrod
