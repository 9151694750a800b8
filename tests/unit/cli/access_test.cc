// Every verb × every role × its own and a foreign app. A verb that nobody has decided on fails here.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "base/text.hh"
#include "cli/grammar.hh"
#include "cli/verbs.hh"
#include "in_root.hh"
#include "model/rights.hh"

namespace pushrod {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kMine = "mine";
constexpr const char* kForeign = "somebody-elses";
constexpr const char* kMissing = "nowhere-at-all";
constexpr const char* kNotAllowed = "which does not allow that";
constexpr const char* kNotThere = "there is no app";
constexpr const char* kForAdministrators = "for administrators of this machine";

struct Decision {
  enum class Needs { Nothing, AppRight, Machine } needs;
  Right right = Right::See;
  std::vector<std::string> words{};  // after the verb; "APP" stands for the app
};

Decision nothing(std::vector<std::string> words = {}) {
  return {Decision::Needs::Nothing, Right::See, std::move(words)};
}
Decision machine(std::vector<std::string> words = {}) {
  return {Decision::Needs::Machine, Right::See, std::move(words)};
}
Decision needs(Right right, std::vector<std::string> words = {"APP"}) {
  return {Decision::Needs::AppRight, right, std::move(words)};
}

// What each verb wants. "nothing": it shows what the caller may see, and no more.
const std::map<std::string, Decision>& decisions() {
  // A line each, so that two additions do not meet.
  // clang-format off
  static const std::map<std::string, Decision> all{
      {"access login", needs(Right::Deploy, {"APP", "on"})},
      {"login", needs(Right::See)},
      {"access networks", needs(Right::Deploy, {"APP", "10.0.0.0/8"})},
      {"access rate", needs(Right::Deploy, {"APP", "10"})},
      {"access remove-user", needs(Right::Deploy, {"APP", "ada"})},
      {"access show", needs(Right::See)},
      {"access user", needs(Right::Deploy, {"APP", "ada"})},
      {"app check", needs(Right::See)},
      {"app clone", machine({"APP", "new"})},
      {"app create", machine({"new"})},
      {"app destroy", needs(Right::Administer)},
      {"app export", needs(Right::Administer)},
      {"app import", machine()},
      {"app info", needs(Right::See)},
      {"app list", nothing()},
      {"app rename", machine({"APP", "new"})},
      {"app set", machine({"APP", "--branch", "next"})},
      {"audit", needs(Right::See)},
      {"backup create", needs(Right::Administer)},
      {"backup list", needs(Right::Administer)},
      {"backup prune", machine({"APP"})},
      {"backup restore", machine({"APP"})},
      {"backup schedule", machine({"APP"})},
      {"backup show", needs(Right::Administer)},
      {"backup target add", machine({"disk", "/backup"})},
      {"backup target list", machine()},
      {"backup target remove", machine({"disk"})},
      {"backup verify", needs(Right::Administer)},
      {"cancel", needs(Right::Deploy)},
      {"cert add", nothing({"www.example.com"})},
      {"cert dns list", machine()},
      {"cert dns remove", machine()},
      {"cert dns set", machine({"httpreq"})},
      {"cert list", nothing()},
      {"cert remove", nothing({"www.example.com"})},
      {"cert renew", nothing({"www.example.com"})},
      {"cert show", nothing({"www.example.com"})},
      {"completion", nothing({"bash"})},
      {"config export", needs(Right::Deploy)},
      {"config get", needs(Right::Deploy, {"APP", "A"})},
      {"config import", needs(Right::Deploy)},
      {"config list", needs(Right::Deploy)},
      {"config set", needs(Right::Deploy, {"APP", "A=1"})},
      {"config unset", needs(Right::Deploy, {"APP", "A"})},
      {"deployment", needs(Right::See, {"APP", "1"})},
      {"deployments", needs(Right::See)},
      {"doctor", machine()},
      {"domain add", needs(Right::Deploy, {"APP", "www.example.com"})},
      {"domain check", machine({"www.example.com"})},
      {"domain list", needs(Right::See)},
      {"domain remove", needs(Right::Deploy, {"APP", "www.example.com"})},
      {"files get", needs(Right::Deploy, {"APP", "a"})},
      {"files ls", needs(Right::Deploy)},
      {"files put", needs(Right::Deploy, {"APP", "a"})},
      {"files rm", needs(Right::Deploy, {"APP", "a"})},
      {"key add", machine({"new"})},
      {"key deploy", needs(Right::Deploy)},
      {"key list", machine()},
      {"key remove", machine({"old"})},
      {"key set", machine({"old", "--role", "view"})},
      {"logs", needs(Right::See)},
      {"maintenance off", needs(Right::Deploy)},
      {"maintenance on", needs(Right::Deploy)},
      {"maintenance show", needs(Right::See)},
      {"prune", needs(Right::Administer)},
      {"ps", needs(Right::See)},
      {"redeploy", needs(Right::Deploy)},
      {"release", needs(Right::See, {"APP", "1"})},
      {"releases", needs(Right::See)},
      {"repo list", nothing()},
      {"restart", needs(Right::Deploy)},
      {"rollback", needs(Right::Deploy)},
      {"scale", needs(Right::Deploy, {"APP", "web=2"})},
      {"start", needs(Right::Deploy)},
      {"stop", needs(Right::Deploy)},
      {"top", needs(Right::See)},
      {"run", needs(Right::Deploy, {"APP", "true"})},
      {"service attach", needs(Right::Deploy, {"db", "APP"})},
      {"service detach", needs(Right::Deploy, {"db", "APP"})},
      {"service console", nothing({"db"})},
      {"service export", nothing({"db"})},
      {"service import", nothing({"db"})},
      {"service run", nothing({"db", "true"})},
      {"service create", machine({"postgres"})},
      {"service clone", machine({"db", "copy"})},
      {"service credentials", nothing({"db"})},
      {"service destroy", machine({"db"})},
      {"service forget", machine({"db"})},
      {"service info", nothing({"db"})},
      {"service limit", machine({"db", "--disk", "2G"})},
      {"service list", nothing()},
      {"service logs", nothing({"db"})},
      {"service restart", nothing({"db"})},
      {"service start", nothing({"db"})},
      {"service stop", nothing({"db"})},
      {"service upgrade", machine({"db", "--to", "17"})},
      {"shell", needs(Right::Deploy)},
      {"cron list", needs(Right::See)},
      {"cron run", needs(Right::Deploy, {"APP", "x"})},
      {"cron history", needs(Right::See)},
  };
  // clang-format on
  return all;
}

class Access : public InRoot {
 protected:
  Access() {
    add_app(kMine, "mine");
    add_app(kForeign, "foreign");
  }
  // A key for the app "mine".
  Caller caller(Role role) {
    const auto name = std::string(to_string(role));
    Store store(layout_.database());
    for (const auto& key : store.keys()) {
      if (key.name.str() == name) return {key, "192.0.2.1"};
    }
    return {store.add_key(KeyName::parse(name), "ssh-ed25519 " + name, "SHA256:" + name, role, {AppName::parse(kMine)}),
            "192.0.2.1"};
  }
  // All that the verb says about the app, with its name made the same for all.
  std::string told(const std::string& verb, const Decision& decision, const std::string& app, const Caller& caller) {
    auto words = split(verb, ' ');
    for (const auto& word : decision.words) words.push_back(word == "APP" ? app : word);
    testing::internal::CaptureStdout();
    std::string text;
    try {
      text = fmt::format("exit code {} ", run_verbs(layout_.root(), words, caller));
    } catch (const Error& error) {
      const bool theirs = dynamic_cast<const UserError*>(&error) != nullptr;
      text = fmt::format("{}: {} | {} ", theirs ? "user error" : "error", error.message(), error.hint());
    }
    text += testing::internal::GetCapturedStdout();
    for (std::size_t at; (at = text.find(app)) != std::string::npos;) text.replace(at, app.size(), "APP");
    return text;
  }
};

constexpr Role kRoles[] = {Role::View, Role::Deploy, Role::Admin};

TEST_F(Access, EveryVerbHasADecision) {
  Grammar grammar;
  add_verbs(grammar);
  std::vector<std::string> decided;
  for (const auto& [verb, decision] : decisions()) decided.push_back(verb);
  EXPECT_THAT(grammar.verbs(), testing::UnorderedElementsAreArray(decided))
      << "say above what a new verb wants, and have it call require_app() or require_admin()";
}

TEST_F(Access, AForeignAppLooksLikeOneThatIsMissing) {
  for (const auto& [verb, decision] : decisions()) {
    if (decision.needs != Decision::Needs::AppRight) continue;
    for (const Role role : kRoles) {
      const auto foreign = told(verb, decision, kForeign, caller(role));
      EXPECT_THAT(foreign, HasSubstr(kNotThere)) << verb << " " << to_string(role);
      EXPECT_EQ(foreign, told(verb, decision, kMissing, caller(role))) << verb << " " << to_string(role);
    }
  }
}

TEST_F(Access, EachRoleMayWhatTheTableSaysOfItsOwnApp) {
  for (const auto& [verb, decision] : decisions()) {
    if (decision.needs != Decision::Needs::AppRight) continue;
    for (const Role role : kRoles) {
      const auto text = told(verb, decision, kMine, caller(role));
      EXPECT_THAT(text, Not(HasSubstr(kNotThere))) << verb << " " << to_string(role);
      if (may(role, decision.right)) {
        EXPECT_THAT(text, Not(HasSubstr(kNotAllowed))) << verb << " " << to_string(role);
      } else {
        EXPECT_THAT(text, HasSubstr(kNotAllowed)) << verb << " " << to_string(role);
      }
    }
  }
}

TEST_F(Access, WhatConcernsTheMachineIsForItsAdministrators) {
  const Caller deployer{
      Store(layout_.database()).add_key(KeyName::parse("all"), "ssh-ed25519 all", "SHA256:all", Role::Deploy, {})};
  for (const auto& [verb, decision] : decisions()) {
    if (decision.needs != Decision::Needs::Machine) continue;
    for (const Role role : kRoles) {
      EXPECT_THAT(told(verb, decision, kMine, caller(role)), HasSubstr(kForAdministrators)) << verb;
    }
    EXPECT_THAT(told(verb, decision, kMine, deployer), HasSubstr(kForAdministrators)) << verb;
  }
}

TEST_F(Access, ListsShowNothingForeign) {
  for (const auto& [verb, decision] : decisions()) {
    for (const Role role : kRoles) {
      Decision without_app = decision;
      std::erase(without_app.words, "APP");
      if (decision.needs == Decision::Needs::Machine) continue;
      auto words = split(verb, ' ');
      words.insert(words.end(), without_app.words.begin(), without_app.words.end());
      testing::internal::CaptureStdout();
      std::string error;
      try {
        run_verbs(layout_.root(), words, caller(role));
      } catch (const Error& thrown) {
        error = thrown.message() + thrown.hint();
      }
      EXPECT_THAT(testing::internal::GetCapturedStdout() + error, Not(HasSubstr("foreign"))) << verb;
      EXPECT_THAT(error, Not(HasSubstr(kForeign))) << verb;
    }
  }
}

}  // namespace
}  // namespace pushrod
