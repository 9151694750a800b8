// Repos, apps and keys: what the operator has set up.
// Floor 2. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/names.hh"
#include "os/clock.hh"

namespace pushrod {

using AppId = std::int64_t;

struct App {
  AppId id = 0;
  AppName name;
  RepoName repo;
  BranchName branch;
  std::string path;                   // sub-directory of the repo without slashes at its ends; empty: the root
  std::optional<ReleaseNumber> live;  // absent: never deployed, or its branch was deleted
  WallTime created;
};

// "services/api": relative, no empty, "." or ".." part, at most 200 bytes; empty is the root. Throws UserError.
std::string parse_app_path(const std::string& text);

struct Key {
  std::int64_t id = 0;
  KeyName name;
  std::string public_key;     // "ssh-ed25519 AAAA…", without options and comment
  std::string fingerprint;    // "SHA256:…"
  bool admin = false;         // may do everything
  std::vector<AppName> apps;  // otherwise, what it may touch; empty when its last app was destroyed
  WallTime created;

  bool is_admin() const { return admin; }
  bool may_use(const AppName& app) const;
};

}  // namespace pushrod
