// From root to the user that Pushrod belongs to.
#include "tree/become_user.hh"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <cstdlib>

#include "base/error.hh"
#include "base/text.hh"

namespace pushrod {

void become_user(const std::string& user) {
  if (geteuid() != 0) {
    if (user.empty()) return;
    const auto* current = getpwuid(geteuid());
    if (current != nullptr && user == current->pw_name) return;
    throw UserError(fmt::format("only root can become user {}", quoted(user)), "run it as that user, without --user");
  }
  if (user.empty())
    throw UserError("Pushrod does not run as root",
                    "name the user that it belongs to, for example: pushrod --user deploy app list");
  const auto* entry = getpwnam(user.c_str());
  if (entry == nullptr)
    throw UserError(fmt::format("there is no user {}", quoted(user)),
                    "make one: useradd --create-home " + shell_quoted(user));
  if (entry->pw_uid == 0) throw UserError(fmt::format("user {} is root", quoted(user)), "name an ordinary user");
  if (initgroups(entry->pw_name, entry->pw_gid) != 0 || setgid(entry->pw_gid) != 0 || setuid(entry->pw_uid) != 0) {
    throw_errno("becoming user " + user);
  }
  setenv("HOME", entry->pw_dir, 1);
  setenv("USER", entry->pw_name, 1);
  setenv("LOGNAME", entry->pw_name, 1);
  if (chdir("/") != 0) throw_errno("leaving the directory of root");
}

}  // namespace pushrod
