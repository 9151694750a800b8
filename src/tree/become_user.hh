// From root to the user that Pushrod belongs to.
#pragma once

#include <string>

namespace pushrod {

// Called before the root directory is touched. As root it becomes the user. Throws UserError as root without a user
// (empty) or with one that is root or missing, and as another user than the one that is named.
void become_user(const std::string& user);

}  // namespace pushrod
