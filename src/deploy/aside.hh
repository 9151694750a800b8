// What a deployment puts aside of an app's state, so that its undo brings it back: /data, and databases as dumps.
// Private to deploy/.
//
// It lies beside the /data of apps, since two names of one directory can change places at once; no app has such a name:
//   data/.restore.<app>.<deployment>             the other /data
//   data/.restore.<app>.<deployment>.databases/  <service>.dump of each database as it was
//   data/.restore.<app>.<deployment>.mark        on the disk before anything is changed; without it nothing was
//   data/.snapshots/<app>/<release>/             kept: data/ and databases/ as they were when that release went
// So undoing needs nothing else, and may be done again after a crash. <app> is the app's number: its name may change.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "deploy/app_databases.hh"

namespace pushrod {

std::filesystem::path aside_data(const Layout& layout, const Deployment& deployment);

struct AsideMark {
  std::string changed;                  // identity_of() the directory that an undo takes out of /data's place
  bool databases = false;               // they may differ from their dumps
  std::optional<ReleaseNumber> keep{};  // at the commit, what is aside becomes the snapshot of this release
};
std::string identity_of(const std::filesystem::path& directory);
void write_mark(const Layout& layout, const Deployment& deployment, const AsideMark& mark);

// Dumps them. Those that other apps work on as well are left out, and told.
void put_databases_aside(const Platform& platform, const std::vector<AppDatabase>& databases,
                         const Deployment& deployment, Journal& journal);

// No instance of the deployment runs, and none of the app.
void undo_aside(const Platform& platform, const App& app, const Deployment& deployment);
// Past the commit point.
void end_aside(const Layout& layout, const Deployment& deployment);
// Until then the app must not run.
bool is_aside(const Layout& layout, AppId app);

// The releases of the app of whose end there is a snapshot; the oldest first.
std::vector<ReleaseNumber> snapshots_of(const Layout& layout, AppId app);
std::filesystem::path snapshot_directory(const Layout& layout, AppId app, ReleaseNumber release);
std::filesystem::path snapshot_databases(const std::filesystem::path& snapshot);
std::filesystem::path snapshot_data(const std::filesystem::path& snapshot);
std::filesystem::path snapshots_directory(const Layout& layout, AppId app);
// Which dump is of which service.
std::map<ServiceId, std::filesystem::path> dumps_in(const std::filesystem::path& directory);

}  // namespace pushrod
