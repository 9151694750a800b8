// Repos, apps and keys: what the operator has set up.
// Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/names.hh"
#include "os/clock.hh"

namespace pushrod {

using AppId = std::int64_t;

// What clients get instead of the app.
enum class Maintenance {
  Off,
  Page,  // 503 and a page
  Hold,  // their requests wait
};
std::string_view to_string(Maintenance maintenance);
Maintenance maintenance_from(std::string_view text);

// Where an app's code comes from. The source of an app is the one that its next deployment uses; the source of a
// release is the one that it was built from.
struct Source {
  RepoName repo;
  BranchName branch;
  std::string path{};    // sub-directory of the repo without slashes at its ends; empty: the root
  std::string config{};  // the manifest's file; empty: pushrod.toml
  // The directory that is built, at or above `path` (a workspace); in an app absent unless the operator has chosen it,
  // and in a release what came of the operator's and the manifest's choice.
  std::optional<std::string> build_root{};
  bool manifest_root = false;  // in a release: build_root is the manifest's choice, not the operator's
  bool operator==(const Source&) const = default;
};

struct App {
  AppId id = 0;
  AppName name;
  RepoName repo;
  BranchName branch;
  std::string path;                   // sub-directory of the repo without slashes at its ends; empty: the root
  std::optional<ReleaseNumber> live;  // absent: never deployed, or its branch was deleted
  WallTime created;
  bool stopped = false;  // nothing of it runs until it is started
  Maintenance maintenance = Maintenance::Off;
  std::string config{};                     // see Source
  std::optional<std::string> build_root{};  // see Source

  Source source() const { return {repo, branch, path, config, build_root}; }
  void set_source(const Source& source);
};

// "services/api": relative, no empty, "." or ".." part, at most 200 bytes; empty is the root. Throws UserError.
std::string parse_app_path(const std::string& text);

// What a key may do with the apps that it may use.
enum class Role {
  View,    // read
  Deploy,  // push, restart, scale, run, set
  Admin,   // everything
};
std::string_view to_string(Role role);
Role role_from(std::string_view text);

struct Key {
  std::int64_t id = 0;
  KeyName name;
  std::string public_key;   // "ssh-ed25519 AAAA…", without options and comment
  std::string fingerprint;  // "SHA256:…"
  Role role = Role::View;
  bool all_apps = false;      // those to come included
  std::vector<AppName> apps;  // otherwise, what it may touch; empty when its last app was destroyed
  WallTime created;

  bool is_admin() const { return role == Role::Admin && all_apps; }  // of the machine
  bool may_use(const AppName& app) const;
};

}  // namespace pushrod
