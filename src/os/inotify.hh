// inotify(7) where all apps share its instances and watches with Pushrod: without any left, callers look now and then.
#pragma once

#include <cerrno>

namespace pushrod {

// Does this errno of inotify_init1() or inotify_add_watch() mean that there are none left?
constexpr bool is_inotify_used_up(int code) {
  return code == EMFILE || code == ENFILE || code == ENOSPC || code == ENOMEM;
}

}  // namespace pushrod
