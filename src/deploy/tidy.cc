// The tidier.
// Floor 6.
#include "deploy/tidy.hh"

#include "deploy/attempt.hh"
#include "deploy/checkouts.hh"
#include "git/checkout.hh"
#include "git/repository.hh"
#include "os/file_lock.hh"

namespace pushrod {

namespace {

// A few hundred files are written anew as fast as a spare is brought up to date.
bool has_many_files(const fs::path& tree) {
  constexpr unsigned kMany = 500;
  unsigned entries = 0;
  std::error_code ignored;
  for (fs::recursive_directory_iterator entry(tree, ignored), end; entry != end && !ignored; entry.increment(ignored)) {
    if (++entries > kMany) return true;
  }
  return false;
}

}  // namespace

bool Tidier::pass() {
  bool complete = true;
  for (const auto& app : platform_.store.apps()) {
    const auto current = app.live.value_or(0);
    const auto last = tidied_.find(app.id);
    if (last != tidied_.end() && last->second == current) continue;
    const bool done = attempt("tidying up " + app.name.str(), [&] {
      if (!prune(app)) {
        complete = false;
        return;
      }
      tidied_[app.id] = current;
      prepare_next_checkout(app);
      Repository(platform_.layout.repo(app.repo)).collect_garbage();
    });
    complete = complete && done;
  }
  // Failed deployments leave something there as well, and no app that was to be tidied.
  const bool emptied = attempt("emptying the trash", [&] { empty_trash(platform_.layout); });
  return complete && emptied;
}

// False when the app is being deployed.
bool Tidier::prune(const App& app) {
  const auto lock = FileLock::try_acquire(platform_.layout.app_lock(app.name));
  if (!lock) return false;
  if (const auto fresh = platform_.store.app(app.id)) prune_releases(platform_, *fresh);
  return true;
}

void Tidier::prepare_next_checkout(const App& app) {
  const auto release = app.live ? platform_.store.release(app.id, *app.live) : std::nullopt;
  if (!release || !has_many_files(find_checkout(platform_.layout, app.name, release->checkout).tree())) return;
  prepare_spare(Repository(platform_.layout.repo(app.repo)), release->commit,
                platform_.layout.spare_checkout(app.name));
}

}  // namespace pushrod
