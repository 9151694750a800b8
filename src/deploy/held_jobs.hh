// Jobs, while an app's data is replaced or its database moves to another server: none begins, and one that runs is
// waited for. What it wrote to the old data would be lost.
#pragma once

#include <vector>

#include "deploy/platform.hh"

namespace pushrod {

// Do the app's requests wait for such work, and so its jobs?
bool are_jobs_held(const Platform& platform, AppId app);

// Returns when no job of these apps runs. Throws UserError, which names one, if that takes longer, and Cancelled.
void await_end_of_jobs(const Platform& platform, const std::vector<AppId>& apps, Milliseconds longest,
                       int cancel_fd = -1);
// How long: before requests wait, and for those that began just then.
inline constexpr Milliseconds kJobsMayTake{60'000}, kLateJobsMayTake{10'000};

}  // namespace pushrod
