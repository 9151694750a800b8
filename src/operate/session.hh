// A session: a caller, and the parts of Pushrod that an operation works on. Every door (the command line, SSH, the
// daemon) opens one and passes it to the functions of this room, which check the caller's rights and write the audit.
//
// A function of this room takes a session and typed values. It returns a value or throws UserError; it never prints.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "deploy/platform.hh"
#include "model/rights.hh"

namespace pushrod {

// A client of SSH has a key. A caller without a key runs the program on this machine as its user: the operator.
struct Caller {
  std::optional<Key> key{};
  std::string address = "local";  // where the connection comes from
  bool is_remote() const { return key.has_value(); }
  std::string author() const;  // "anna", "local:deploy"
};

// Where instances run, and how requests get to them.
struct Engines {
  std::unique_ptr<const Engine> engine;
  std::unique_ptr<const Ingress> ingress;
};

// Parts are made when they are first needed, so that a quick operation stays quick. For one thread.
class Session {
 public:
  using MakeEngines = std::function<Engines(const Layout&, const Settings&)>;

  Session(const std::filesystem::path& root, Caller caller, MakeEngines make_engines);

  const Layout& layout() const { return layout_; }
  const Settings& settings();
  // For `up`, which is told its listen addresses.
  void set_settings(Settings settings) { settings_ = std::move(settings); }
  Store& store();
  const Engine& engine() { return *engines().engine; }
  const Ingress& ingress() { return *engines().ingress; }
  Platform platform() { return {layout_, settings(), store(), engine(), ingress()}; }
  const Caller& caller() const { return caller_; }
  // For the gate and git's hooks, which find out in the database who calls.
  void set_caller(Caller caller) { caller_ = std::move(caller); }

  // The app, if it exists and the caller has this right. Throws UserError, which is the same for an app that does not
  // exist and for one that the caller may not see.
  App require_app(const AppName& name, Right right);
  // For what concerns the whole machine: throws UserError unless the caller is an administrator.
  void require_admin() const;
  bool may(const AppName& app, Right right) const { return !caller_.key || pushrod::may(*caller_.key, app, right); }
  // The apps that the caller may see, by name.
  std::vector<App> visible_apps();

 private:
  const Engines& engines();

  Layout layout_;
  Caller caller_;
  MakeEngines make_engines_;
  std::optional<Settings> settings_;
  std::unique_ptr<Store> store_;
  std::optional<Engines> engines_;
};

}  // namespace pushrod
