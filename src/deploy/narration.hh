// What the pusher and the log read of a deployment, apart from what each step says of itself.
#pragma once

#include <future>
#include <string>

#include "base/error.hh"
#include "deploy/run.hh"

namespace pushrod {

// "blog" or "blog, blog-admin".
std::string names_of(const Run& run);
// With several apps: what is said from now on is about this one (absent: about all of them).
void speak_of(Run& run, const std::optional<AppName>& app);
// The secret settings of the release, from all that is shown.
void hide_secrets(Run& run, const Release& release);

// The subject of the commit, if the announcement shows it. git takes some milliseconds to tell it, and it is wanted
// when the deployment has its turn.
std::future<std::string> begin_reading_subject(const Run& run);
void announce(Run& run, const std::string& subject);
void tell_success(Run& run, const std::vector<InstancePlan>& started, const Stopwatch& time);

// The reason as it is kept with the deployment.
Failure failure_of(const Run& run, const Error& error);
void tell_failure(Run& run, const Error& error);
// An error after the commit point.
void tell_delay(Run& run, const Error& error);
// An error while undoing.
void tell_incomplete_undo(Run& run, const std::exception& error);

}  // namespace pushrod
