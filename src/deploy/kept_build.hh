// The kept build: what a deployment has built, when only a later step failed.
// A finished build is marked as such in its checkout. Undoing the deployment then renames the checkout to
// cache/<app>/kept instead of deleting it, and the next push of the same files with the same build settings renames it
// into place. At most one per app, for at most a week and until the next boot (it is not flushed to the disk). The
// caller holds the app's lock. A kill at any moment leaves it whole or gone: the mark is written last, and each step is
// one rename.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "build/builder.hh"
#include "deploy/platform.hh"

namespace pushrod {

std::filesystem::path kept_build(const Layout& layout, const AppName& app);

// Everything that the result of a build depends on, as text: the files of the directory that is built, what the
// builder does, the settings of app and server that the build sees, the machine's software. Two builds with the same
// key are interchangeable. RELEASE and GIT_COMMIT are left out: they differ for each deployment.
std::string build_key(const Platform& platform, const Release& release, const BuildPlan& plan);

// The checkout holds the finished build of that deployment, whose release mounts these.
void mark_built(const Checkout& checkout, ReleaseNumber deployment, const std::string& key,
                const ReleaseMounts& mounts);
bool is_built(const Checkout& checkout);

// What a build has left: who built it, and what its release mounts.
struct KeptBuild {
  ReleaseNumber built_by = 0;
  ReleaseMounts mounts;
};
// Replaces the checkout, which may be there, by the kept build if it has this key.
std::optional<KeptBuild> take_kept_build(const Layout& layout, const AppName& app, const std::string& key,
                                         const Checkout& checkout);
// Of the build that is kept; none if there is none that may be used.
ReleaseMounts mounts_of_kept_build(const Layout& layout, const AppName& app);

// Keeps the build of a deployment that is undone, in place of an older one. Does nothing unless it is finished.
void keep_build(const Layout& layout, const AppName& app, ReleaseNumber deployment);

// Is there one that is of no use any more, because of its age or a boot?
bool has_stale_build(const Layout& layout, const AppName& app);

}  // namespace pushrod
