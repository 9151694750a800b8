// The command line's session: on this machine's root directory, with this machine's engine.
#pragma once

#include <filesystem>
#include <string>

#include "engine/local/local_engine.hh"
#include "engine/local/local_ingress.hh"
#include "operate/session.hh"

namespace pushrod {

class Context : public Session {
 public:
  // Checks that the root directory belongs to this user and is closed to others, or creates it (mode 0700). Throws
  // UserError.
  Context(const std::filesystem::path& root, Caller caller);

  // For what concerns this machine's processes: `up`, `stop`, `top`.
  const LocalEngine& local_engine();
  const LocalIngress& local_ingress();

  // Before a command shows what runs: says on standard error that the tree does not run.
  void note_if_down();

  using Session::require_app;
  // The same by the word that the caller typed.
  App require_app(const std::string& name, Right right);
};

// --root, else $PUSHROD_ROOT, else ~/pushrod; absolute and without symbolic links. Throws UserError.
std::filesystem::path choose_root(const std::string& option);

}  // namespace pushrod
