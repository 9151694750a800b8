// From root to the user that Pushrod belongs to.
#pragma once

#include <string>

namespace pushrod {

// Before the root directory is touched: gives up root's rights for that user's, or throws UserError when running as
// root without a user named.
void become_user(const std::string& user);

}  // namespace pushrod
