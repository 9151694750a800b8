// Who may connect: keys and their rights. The database holds them; authorized_keys is rendered from it after every
// change. Every function needs an administrator.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "operate/json.hh"
#include "operate/session.hh"
#include "ssh/public_key.hh"

namespace pushrod {

// What is asked for; what is absent stays as it is, or gets its default.
struct KeyRights {
  std::optional<Role> role{};
  std::vector<AppName> apps{};
  bool all_apps = false;
};

// What every change of keys goes through: serialised, so that authorized_keys never lacks a key that was added at the
// same moment. Audits nothing.
void change_keys(Session& session, const std::function<void()>& change);

// The role is admin by default, or deploy for a key of some apps only.
Key add_key(Session& session, const KeyName& name, const PublicKey& key, const KeyRights& rights);
// Throws UserError when the key's apps have all been destroyed and the request names none: it would be for all of them.
Key set_key(Session& session, const KeyName& name, const KeyRights& rights);
std::vector<Key> list_keys(Session& session);
void remove_key(Session& session, const KeyName& name);

std::string names_of(const std::vector<AppName>& apps);  // "blog, shop"; "no app"
Json to_json(const Key& key);

}  // namespace pushrod
