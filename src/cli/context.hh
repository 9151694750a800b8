// What every command works on: the root directory, the settings, the database, the engine; and who is asking.
// Parts are made when they are first needed, so that a quick command stays quick.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "deploy/platform.hh"
#include "engine/local/local_engine.hh"
#include "model/rights.hh"

namespace pushrod {

// Somebody at the other end of an SSH connection has a key; whoever runs the program on this machine as its user is the
// operator.
struct Caller {
  std::optional<Key> key{};
  std::string address = "local";  // where the connection comes from
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
  // For the gate and git's hooks, which find out in the database who calls.
  void set_caller(Caller caller) { caller_ = std::move(caller); }

  // For whoever asks what runs: says on standard error that the tree does not.
  void note_if_down();

  // The app, if it is there and the caller may do that with it. Throws UserError, which is the same for an app that is
  // missing and for one that the caller may not even see.
  App require_app(const std::string& name, Right right);
  // For what concerns all of the machine: throws UserError unless the caller is an administrator.
  void require_admin() const;
  bool may(const AppName& app, Right right) const { return !caller_.key || pushrod::may(*caller_.key, app, right); }

 private:
  Layout layout_;
  Caller caller_;
  std::optional<Settings> settings_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<LocalEngine> engine_;
};

// --root, else $PUSHROD_ROOT, else ~/pushrod; absolute and without symbolic links. Throws UserError.
std::filesystem::path choose_root(const std::string& option);

}  // namespace pushrod
