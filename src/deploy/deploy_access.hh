// What an app's builds may fetch from private git repositories: the app's deploy key, lent to sandboxes of the build
// for as long as this object lives. Private to deploy/.
#pragma once

#include <optional>
#include <string>

#include "build/builder.hh"
#include "deploy/platform.hh"
#include "model/app.hh"
#include "ssh/agent.hh"

namespace pushrod {

class DeployAccess {
 public:
  DeployAccess(const Platform& platform, const App& app);
  ~DeployAccess();  // keeps the servers that the build has met
  DeployAccess(const DeployAccess&) = delete;
  DeployAccess& operator=(const DeployAccess&) = delete;

  // The sandbox gets the agent; nothing happens for an app without a key.
  void lend(SandboxJob& job);
  // For the name of a layer with content that not every app may read; empty without a key.
  std::string fingerprint() const { return key_ ? key_->fingerprint : std::string{}; }
  bool has_key() const { return key_.has_value(); }
  // What to do when a repository cannot be read.
  std::string remedy() const;

 private:
  const Platform& platform_;
  const App& app_;
  std::optional<DeployKey> key_;
  std::optional<SshAgent> agent_;
};

}  // namespace pushrod
