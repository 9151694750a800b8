// Domains: who may add which, what refuses them, and that they stay with their app.
#include "operate/domains.hh"

#include "deploy/traffic.hh"
#include "fixtures.hh"
#include "operate/apps.hh"

namespace pushrod {
namespace {

using testing::HasSubstr;
using testing::Not;

class Domains : public OperateTest {
 protected:
  static std::vector<RoutePoint> points(const std::vector<std::string>& texts) {
    std::vector<RoutePoint> made;
    for (const auto& text : texts) made.push_back(RoutePoint::parse(text));
    return made;
  }
  void add(Session& session, const std::string& app, const std::vector<std::string>& texts,
           const DomainOptions& options = {}) {
    add_domains(session, AppName::parse(app), points(texts), options);
  }
  std::string added(Session& session, const std::string& app, const std::vector<std::string>& texts,
                    const DomainOptions& options = {}) {
    return refusal([&] { add(session, app, texts, options); });
  }
  std::vector<std::string> of(const std::string& app) {
    std::vector<std::string> found;
    for (const auto& view : list_domains(operator_, AppName::parse(app))) found.push_back(view.route.point.str());
    return found;
  }
};

TEST_F(Domains, LeadToTheAppAndAreAudited) {
  add_app("blog");
  const auto views = add_domains(operator_, blog_, points({"www.example.com", "bücher.example/a"}), {});
  ASSERT_EQ(views.size(), 2u);
  EXPECT_EQ(views[1].url, "http://bücher.example:8080/a");
  EXPECT_EQ(last_record(), "domain add www.example.com, bücher.example/a: done");
  EXPECT_THAT(engine().routes(), HasSubstr("blog.example.org,www.example.com,xn--bcher-kva.example/a:"));
  remove_domains(operator_, blog_, points({"www.example.com"}));
  EXPECT_EQ(last_record(), "domain remove www.example.com: done");
  EXPECT_EQ(of("blog"), (std::vector<std::string>{"blog.example.org", "xn--bcher-kva.example/a"}));
  EXPECT_THAT(engine().routes(), Not(HasSubstr("www.example.com")));
}

TEST_F(Domains, BelongToOneAppPerPrefix) {
  add_app("blog");
  add_app("shop");
  add(operator_, "blog", {"www.example.com"});
  add(operator_, "shop", {"www.example.com/shop"});
  EXPECT_EQ(added(operator_, "shop", {"new.example.com", "www.example.com"}),
            "www.example.com belongs to app blog | remove it there first: pushrod domain remove blog www.example.com");
  EXPECT_EQ(of("shop"), (std::vector<std::string>{"shop.example.org", "www.example.com/shop"})) << "all or none";
}

TEST_F(Domains, OfAnAppThatTheCallerMayNotSeeAreNotNamed) {
  add_app("secret");
  add_app("blog");
  add(operator_, "secret", {"www.example.com/shop", "*.example.net"});
  auto& anna = with_key("anna", Role::Deploy, {blog_});
  EXPECT_EQ(added(anna, "blog", {"www.example.com/shop"}),
            "www.example.com/shop belongs to another app | use another host, or ask an administrator of this machine");
  EXPECT_THAT(added(anna, "blog", {"www.example.com"}), Not(HasSubstr("secret")));
  EXPECT_THAT(added(anna, "blog", {"www.example.com/other"}), HasSubstr("www.example.com belongs to another app"));
  EXPECT_THAT(added(anna, "blog", {"a.example.net"}), HasSubstr("a.example.net belongs to another app"))
      << "a wildcard covers it";
  EXPECT_EQ(added(anna, "blog", {"*.example.com"}),
            "*.example.com covers a host of another app | use another host, or ask an administrator of this machine")
      << "it would get the paths of www.example.com that secret does not have";
  EXPECT_THAT(added(anna, "blog", {"www.example.com/other"}), Not(HasSubstr("/shop")));
  EXPECT_EQ(added(anna, "blog", {"a.b.example.net"}), "(nothing thrown)");
  for (const auto& view : list_domains(anna, {})) EXPECT_EQ(view.app, blog_);
}

TEST_F(Domains, OverlapOnlyWithThoseOfAppsThatTheCallerMayDeploy) {
  add_app("blog");
  add_app("shop");
  add(operator_, "shop", {"www.example.com/shop"});
  auto& anna = with_key("anna", Role::Deploy, {blog_});
  ASSERT_NE(added(anna, "blog", {"*.example.com"}), "(nothing thrown)");
  EXPECT_EQ(added(with_key("both", Role::Deploy, {blog_, AppName::parse("shop")}), "blog", {"*.example.com"}),
            "(nothing thrown)");
  EXPECT_EQ(added(anna, "blog", {"*.example.com"}, {.hsts = std::chrono::hours{24}}), "(nothing thrown)")
      << "what it has already gets other options";
}

TEST_F(Domains, NeedTheRightToDeploy) {
  add_app("blog");
  EXPECT_THAT(added(with_key("viewer", Role::View), "blog", {"www.example.com"}), HasSubstr("role view"));
  EXPECT_THAT(refusal([&] { remove_domains(as({}), AppName::parse("gone"), {}); }), HasSubstr("no app"));
}

TEST_F(Domains, BelowTheMachinesDomainAreTheAppsOwn) {
  add_app("blog");
  for (const std::string host : {"shop.example.org", "*.example.org", "blog.example.org", "shop.example.org/x"}) {
    EXPECT_THAT(added(operator_, "blog", {host}), HasSubstr("lies below example.org")) << host;
  }
  EXPECT_EQ(added(operator_, "blog", {"a.b.example.org"}), "(nothing thrown)");
}

TEST_F(Domains, OptionsAreChecked) {
  add_app("blog");
  EXPECT_THAT(added(operator_, "blog", {"example.com"}, {.strip_prefix = true}), HasSubstr("has no prefix to strip"));
  EXPECT_THAT(added(operator_, "blog", {"example.com"}, {.redirect_to = HostName::parse("example.com")}),
              HasSubstr("redirected to itself"));
  EXPECT_THAT(added(operator_, "blog", {"*.example.com"}, {.redirect_to = HostName::parse("a.example.com")}),
              HasSubstr("redirected to itself"));
  EXPECT_THAT(added(operator_, "blog", {"example.com"}, {.redirect_to = HostName::parse("*.example.com")}),
              HasSubstr("not one host"));
}

TEST_F(Domains, TakeNewOptionsAndSayWhenNothingChanges) {
  add_app("blog");
  add(operator_, "blog", {"example.com"});
  EXPECT_THAT(added(operator_, "blog", {"example.com"}), HasSubstr("no change: blog already has example.com"));
  add(operator_, "blog", {"example.com"}, {.redirect_to = HostName::parse("www.example.com")});
  const auto views = list_domains(operator_, blog_);
  ASSERT_EQ(views.size(), 2u);
  EXPECT_EQ(to_json(views[1])["redirect_to"], "www.example.com");
  EXPECT_TRUE(views[0].is_own);
}

TEST_F(Domains, GoWithTheirApp) {
  const auto app = add_app("blog");
  add(operator_, "blog", {"www.example.com"});
  destroy_app(operator_, blog_);
  EXPECT_TRUE(store().domains().empty());
  add_app("shop");
  EXPECT_EQ(added(operator_, "shop", {"www.example.com"}), "(nothing thrown)");
}

TEST_F(Domains, AreNotRoutedWhereTheMachinesDomainHasComeToBe) {
  add_app("blog");
  const auto shop = add_app("shop");
  add(operator_, "blog", {"shop.example.com"});
  settings_.domain = "example.com";
  auto& later = as({});
  EXPECT_EQ(routes_of_apps(later.platform())[shop.id].front().point.str(), "shop.example.com");
  EXPECT_EQ(routes_of_apps(later.platform())[store().app(blog_)->id].size(), 1u);
}

}  // namespace
}  // namespace pushrod
