// Paths that are made of more than one word.
// Pure; names are safe as file names by their rules (names.hh).
#include "model/layout.hh"

#include <fmt/format.h>

namespace pushrod {

Checkout Layout::checkout(const AppName& app, ReleaseNumber number) const {
  return {checkouts(app) / std::to_string(number)};
}

Checkout Layout::kept_checkout(const AppName& app, ReleaseNumber number) const {
  return {releases(app) / std::to_string(number)};
}

fs::path Layout::certificate(const HostName& host) const {
  // '_' is in no host name.
  return certificates() / fmt::format("{}.pem", host.is_wildcard() ? "_" + host.str().substr(1) : host.str());
}

fs::path Layout::deployment_log(const AppName& app, ReleaseNumber number) const {
  return logs(app) / "deployments" / fmt::format("{}.log", number);
}

fs::path Layout::instance_log(const InstanceName& instance) const {
  return instance_logs(instance.app) / fmt::format("{}.{}.{}", instance.release, instance.type.str(), instance.number);
}

}  // namespace pushrod
