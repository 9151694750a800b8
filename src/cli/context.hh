// What every command works on: the root directory, the settings, the database, the engine; and who is asking.
// Floor 7. Parts are made when they are first needed, so that a quick command stays quick.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "deploy/platform.hh"
#include "engine/local/local_engine.hh"

namespace pushrod {

// Somebody at the other end of an SSH connection has a key; whoever runs the program on this machine as its user is the
// operator.
struct Caller {
  std::optional<Key> key;
  bool is_remote() const { return key.has_value(); }
  std::string author() const;  // "anna", "local:deploy"
};

class Context {
 public:
  // Checks the root directory (ours, mode 0700) or creates it. Throws UserError.
  Context(const std::filesystem::path& root, Caller caller);

  const Layout& layout() const { return layout_; }
  const Settings& settings();
  // For `up`, which is told its listen addresses.
  void set_settings(Settings settings) { settings_ = std::move(settings); }
  Store& store();
  LocalEngine& engine();
  Platform platform() { return {layout_, settings(), store(), engine()}; }
  const Caller& caller() const { return caller_; }

  // The app, if it is there and the caller may use it. Throws UserError, which is the same for missing and forbidden.
  App require_app(const std::string& name);
  // For what concerns all of the machine: throws UserError unless the caller is an administrator.
  void require_admin() const;
  bool may_use(const AppName& app) const { return !caller_.key || caller_.key->may_use(app); }

 private:
  Layout layout_;
  Caller caller_;
  std::optional<Settings> settings_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<LocalEngine> engine_;
};

// --root, else $PUSHROD_ROOT, else ~/pushrod; absolute.
std::filesystem::path choose_root(const std::string& option);

}  // namespace pushrod
