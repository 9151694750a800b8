// Sessions of different callers on a root directory with a fake engine.
// Used by the tests of operate/ only.
#pragma once

#include <gmock/gmock.h>

#include <list>
#include <nlohmann/json.hpp>

#include "../deploy/world.hh"
#include "operate/audit.hh"
#include "operate/session.hh"

namespace pushrod {

// What the function throws, as "message | hint".
template <class Function>
std::string refusal(Function function) {
  try {
    function();
  } catch (const UserError& error) {
    return error.message() + " | " + error.hint();
  }
  return "(nothing thrown)";
}

class OperateTest : public DeployTest {
 protected:
  OperateTest() : operator_(as({})) {}

  Session& as(const Caller& caller) {
    auto& session = sessions_.emplace_back(layout_.root(), caller, [](const Layout& layout, const Settings&) {
      const auto directory = layout.root() / "engine";
      return Engines{std::make_unique<FakeEngine>(directory), std::make_unique<FakeEngine>(directory)};
    });
    session.set_settings(settings_);
    return session;
  }
  // A client with a key of this role, for all apps or some.
  Session& with_key(const std::string& name, Role role, const std::vector<AppName>& apps = {}) {
    return as({store().add_key(KeyName::parse(name), "ssh-ed25519 " + name, "SHA256:" + name, role, apps)});
  }
  App live_app(const std::string& name, const std::map<std::string, std::string>& more_files = {}) {
    auto app = add_app(name);
    std::map<std::string, std::string> files{{"Procfile", "web: serve\nworker: work\n"}};
    files.insert(more_files.begin(), more_files.end());
    EXPECT_TRUE(run(push_of(commit(files))).outcome.live);
    return store().app(app.name).value();
  }
  // The newest record: "WHO ACTION DETAIL: OUTCOME".
  std::string last_record() {
    const auto entries = audit_entries(operator_, "", 1);
    if (entries.empty()) return "none";
    const auto& entry = entries.front();
    return entry.action + " " + entry.detail + ": " + entry.outcome;
  }

  std::list<Session> sessions_;
  Session& operator_;
  const AppName blog_ = AppName::parse("blog");
};

}  // namespace pushrod
