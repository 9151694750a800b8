#include "operate/session.hh"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include "base/error.hh"
#include "base/text.hh"
#include "config/settings_file.hh"

namespace pushrod {

std::string Caller::author() const {
  if (key) return key->name.str();
  const auto* user = getpwuid(geteuid());
  return fmt::format("local:{}", user != nullptr ? user->pw_name : std::to_string(geteuid()));
}

Session::Session(const std::filesystem::path& root, Caller caller, MakeEngines make_engines)
    : layout_(root), caller_(std::move(caller)), make_engines_(std::move(make_engines)) {}

const Settings& Session::settings() {
  if (!settings_) {
    settings_ = load_settings(layout_.settings());
    // While the tree runs, the addresses that `up` was told count over server.toml, for every process.
    settings_ = load_settings(layout_.listen_addresses(), *settings_);
  }
  return *settings_;
}

Store& Session::store() {
  if (!store_) store_ = std::make_unique<Store>(layout_.database());
  return *store_;
}

const Engines& Session::engines() {
  if (!engines_) engines_ = make_engines_(layout_, settings());
  return *engines_;
}

App Session::require_app(const AppName& name, Right right) {
  auto app = store().app(name);
  if (app && may(name, right)) return std::move(*app);
  if (app && may(name, Right::See)) {
    throw UserError(refusal_of(*caller_.key, name), remedy_for(*caller_.key, right));
  }
  std::vector<std::string> known;
  for (const auto& other : visible_apps()) known.push_back(other.name.str());
  const auto meant = nearest(name.str(), known);
  throw UserError(fmt::format("there is no app {}", quoted(name.str())),
                  meant ? fmt::format("did you mean {}?", *meant) : "`app list` shows those that you may use");
}

std::vector<App> Session::visible_apps() {
  auto apps = store().apps();
  std::erase_if(apps, [this](const App& app) { return !may(app.name, Right::See); });
  return apps;
}

void Session::require_admin() const {
  if (caller_.key && !caller_.key->is_admin()) {
    throw UserError("this is for administrators of this machine: keys with the role admin for all apps",
                    "ask one of them");
  }
}

}  // namespace pushrod
