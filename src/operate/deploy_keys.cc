#include "operate/deploy_keys.hh"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.hh"
#include "operate/audit.hh"
#include "os/file_lock.hh"
#include "os/files.hh"
#include "ssh/agent.hh"
#include "ssh/public_key.hh"

namespace pushrod {

namespace {

// With the lock on keys.
DeployKey new_key(Session& session, const AppName& app) {
  make_directory(session.layout().run());
  auto pair = make_key_pair(session.layout().run() / "key.new", "pushrod-" + app.str());
  auto fingerprint = parse_public_key(pair.public_key).fingerprint;
  return {std::move(pair.public_key), std::move(fingerprint), std::move(pair.private_key)};
}

}  // namespace

Json to_json(const DeployKeyView& view) {
  return {{"public_key", view.public_key}, {"fingerprint", view.fingerprint}, {"known_hosts", view.known_hosts}};
}

DeployKeyView deploy_key(Session& session, const AppName& app_name, DeployKeyChange change) {
  const auto app = session.require_app(app_name, Right::Deploy);
  auto& store = session.store();
  // Two callers get the same one.
  make_directory(session.layout().locks());
  const auto lock = FileLock::acquire(session.layout().keys_lock());
  const bool is_new = change == DeployKeyChange::Renew || !store.deploy_key(app.id);
  if (is_new) {
    const auto key = new_key(session, app_name);
    audited(session, {app.name.str(), "key deploy", "new key " + key.fingerprint},
            [&] { store.set_deploy_key(app.id, key); });
  } else if (change == DeployKeyChange::ForgetHosts) {
    audited(session, {app.name.str(), "key deploy", "forgot the servers"}, [&] { store.set_known_hosts(app.id, ""); });
  }
  const auto key = store.deploy_key(app.id).value();
  return {key.public_key, key.fingerprint, lines_of(key.known_hosts), is_new};
}

}  // namespace pushrod
