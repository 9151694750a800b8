// Rights: what a key may do with an app.
#include "model/rights.hh"

#include <fmt/format.h>

namespace pushrod {

Role role_for(Right right) {
  switch (right) {
    case Right::See:
      return Role::View;
    case Right::ReadCode:
    case Right::Deploy:
      return Role::Deploy;
    case Right::Administer:
      break;
  }
  return Role::Admin;
}

bool may(Role role, Right right) { return role >= role_for(right); }

bool may(const Key& key, const AppName& app, Right right) { return key.may_use(app) && may(key.role, right); }

std::string refusal_of(const Key& key, const AppName& app) {
  return fmt::format("key {} has the role {} for app {}, which does not allow that", key.name.str(),
                     to_string(key.role), app.str());
}

std::string remedy_for(const Key& key, Right right) {
  return fmt::format("an administrator of this machine can change it: key set {} --role {}", key.name.str(),
                     to_string(role_for(right)));
}

}  // namespace pushrod
