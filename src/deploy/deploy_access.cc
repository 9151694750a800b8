#include "deploy/deploy_access.hh"

#include <fmt/format.h>

#include "base/error.hh"
#include "build/git_access.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

constexpr std::size_t kMostHosts = 256 << 10;

}  // namespace

DeployAccess::DeployAccess(const Platform& platform, const App& app)
    : platform_(platform), app_(app), key_(platform.store.deploy_key(app.id)) {}

DeployAccess::~DeployAccess() {
  if (!agent_) return;
  try {
    const auto hosts = read_file(agent_->directory() / "known_hosts", kMostHosts, /*follow=*/false);
    if (hosts && *hosts != key_->known_hosts) platform_.store.set_known_hosts(app_.id, *hosts);
  } catch (const Error&) {
    // They are met anew by the next build.
  }
}

void DeployAccess::lend(SandboxJob& job) {
  job.environment.emplace("GIT_TERMINAL_PROMPT", "0");
  if (!key_) return;
  if (!agent_) {
    const auto directory = platform_.layout.agent(app_.name);
    agent_.emplace(directory, key_->private_key);
    write_file(directory / "key.pub", key_->public_key + "\n", 0600, /*durable=*/false);
    write_file(directory / "known_hosts", key_->known_hosts, 0600, /*durable=*/false);
  }
  job.deploy_key = agent_->directory();
  job.environment.emplace("GIT_SSH_COMMAND", git_ssh_command());
  job.environment.emplace("CARGO_NET_GIT_FETCH_WITH_CLI", "true");
}

std::string DeployAccess::remedy() const {
  if (!key_) return fmt::format("make a key, and let it read that repository: key deploy {}", app_.name.str());
  return fmt::format("let the deploy key of {} read that repository, and push again: {}", app_.name.str(),
                     key_->public_key);
}

}  // namespace pushrod
