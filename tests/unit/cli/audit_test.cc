// Who changed what: written by every change, shown to those whom it concerns.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "cli/output.hh"
#include "in_root.hh"
#include "operate/jobs.hh"
#include "tree/context.hh"

namespace pushrod {
namespace {

class Audit : public InRoot {
 protected:
  Json entries(const std::vector<std::string>& words = {}, const Caller& caller = {}) {
    std::vector<std::string> all{"audit", "--json"};
    all.insert(all.end(), words.begin(), words.end());
    return Json::parse(printed(all, caller));
  }
  int change(const std::string& app, const std::function<int()>& action, const Caller& caller = {}) {
    Context context(layout_.root(), caller);
    return audited_job(context, {app, "restart", "detail"}, action);
  }
  static std::vector<std::string> apps_in(const Json& entries) {
    std::vector<std::string> apps;
    for (const auto& entry : entries) apps.push_back(entry["app"].is_null() ? "" : entry["app"].get<std::string>());
    return apps;
  }
};

TEST_F(Audit, RecordsAuthorActionAddressAndOutcome) {
  add_app("blog", "blog");
  Caller bob = key("bob", {"blog"});
  bob.address = "192.0.2.7";
  change(
      "blog", [] { return 0; }, bob);
  const auto list = entries();
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0]["who"], "bob");
  EXPECT_EQ(list[0]["fingerprint"], "SHA256:bob");
  EXPECT_EQ(list[0]["address"], "192.0.2.7");
  EXPECT_EQ(list[0]["app"], "blog");
  EXPECT_EQ(list[0]["action"], "restart");
  EXPECT_EQ(list[0]["detail"], "detail");
  EXPECT_EQ(list[0]["outcome"], "done");
}

TEST_F(Audit, AChangeOfTheOperatorIsLocal) {
  change("", [] { return 0; });
  const auto entry = entries()[0];
  EXPECT_THAT(entry["who"].get<std::string>(), testing::StartsWith("local:"));
  EXPECT_EQ(entry["fingerprint"], nullptr);
  EXPECT_EQ(entry["address"], "local");
  EXPECT_EQ(entry["app"], nullptr);
}

TEST_F(Audit, AFailureIsWrittenDownToo) {
  EXPECT_EQ(change("", [] { return 1; }), 1);
  EXPECT_THROW(change("", []() -> int { throw UserError("no luck", "hint"); }), UserError);
  const auto list = entries();
  EXPECT_EQ(list[0]["outcome"], "failed: no luck");
  EXPECT_EQ(list[1]["outcome"], "failed: exit code 1");
}

TEST_F(Audit, AKilledChangeHasNoOutcome) {
  Context context(layout_.root(), {});
  begin_audit(context, {{"", "restart", ""}});
  EXPECT_EQ(entries()[0]["outcome"], nullptr);
}

TEST_F(Audit, OthersSeeTheirAppsOnly) {
  add_app("blog", "blog");
  add_app("shop", "shop");
  const auto admin = key("root");
  const auto bob = key("bob", {"blog"});
  for (const char* app : {"blog", "shop", ""}) change(app, [] { return 0; });
  EXPECT_EQ(apps_in(entries({}, admin)), (std::vector<std::string>{"", "shop", "blog"}));
  EXPECT_EQ(apps_in(entries({}, bob)), std::vector<std::string>{"blog"});
  EXPECT_EQ(apps_in(entries({"blog"}, bob)), std::vector<std::string>{"blog"});
  EXPECT_EQ(refused({"audit", "shop"}, bob).substr(0, 15), "there is no app");
  EXPECT_EQ(apps_in(entries({"shop", "-n", "1"})), std::vector<std::string>{"shop"});
}

TEST_F(Audit, OutlivesItsAppAndIsNotShownToTheNextOneOfThatName) {
  add_app("blog", "blog");
  change("blog", [] { return 0; });
  {
    Store store(layout_.database());
    store.remove_app(store.app(AppName::parse("blog"))->id);
  }
  EXPECT_EQ(apps_in(entries({"blog"})), std::vector<std::string>{"blog"});
  const auto past = now();
  while (to_epoch_milliseconds(now()) == to_epoch_milliseconds(past)) {
  }
  add_app("blog", "blog");
  EXPECT_EQ(apps_in(entries({"blog"}, key("bob", {"blog"}))), std::vector<std::string>{});
  EXPECT_EQ(apps_in(entries({"blog"})), std::vector<std::string>{"blog"});
}

TEST_F(Audit, KeysAndAppsWriteTheirChangesDown) {
  printed({"app", "create", "blog", "--branch", "live"});
  key("bob");
  printed({"key", "set", "bob", "--role", "view"});
  const auto list = entries();
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[1]["action"], "app create");
  EXPECT_EQ(list[1]["detail"], "repo blog, branch live");
  EXPECT_EQ(list[0]["action"], "key set");
  EXPECT_EQ(list[0]["detail"], "bob: view all apps");
}

}  // namespace
}  // namespace pushrod
