// Certificates: who may add which, and what is told of them.
#include "operate/certificates.hh"

#include "certificates/files.hh"
#include "certificates/openssl.hh"
#include "deploy/certificates.hh"
#include "fixtures.hh"
#include "operate/domains.hh"
#include "os/command.hh"

namespace pushrod {
namespace {

using testing::HasSubstr;

class CertificatesOfHosts : public OperateTest {
 protected:
  CertificatesOfHosts() {
    settings_.https = ListenAddress{"127.0.0.1", 8443};
    add_app("blog");
  }
  std::string pem_for(const std::string& name) {
    const auto key = (layout_.root() / "k").string(), crt = (layout_.root() / "c").string();
    Command command;
    command.argv = {"openssl", "req",   "-x509", "-newkey", "ec",    "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes",  "-days", "30",    "-subj",   "/CN=x", "-addext",  "subjectAltName=DNS:" + name,
                    "-keyout", key,     "-out",  crt};
    run_checked(command);
    return *read_file(crt) + *read_file(key);
  }
  std::string added(Session& session, const std::string& host, const std::string& pem) {
    return refusal([&] { add_certificate(session, HostName::parse(host), pem); });
  }
};

TEST_F(CertificatesOfHosts, AreShownUntilTheyAreRemoved) {
  auto& session = as({});
  add_domains(session, blog_, {RoutePoint::parse("www.example.com")}, {});
  const auto host = HostName::parse("www.example.com");
  const auto added_one = add_certificate(session, host, pem_for("www.example.com"));
  EXPECT_EQ(added_one.view.apps, std::vector<std::string>{"blog"});
  EXPECT_FALSE(added_one.distrust.empty());
  EXPECT_FALSE(added_one.view.is_due);
  EXPECT_TRUE(fs::exists(layout_.certificate(host)));
  EXPECT_THAT(last_record(), HasSubstr("cert add www.example.com, until "));
  EXPECT_EQ(list_domains(session, blog_).back().url, "https://www.example.com:8443");
  ASSERT_EQ(list_certificates(session).size(), 1u);
  EXPECT_EQ(to_json(certificate_of(session, host))["source"], "operator");
  remove_certificate(session, host);
  EXPECT_FALSE(fs::exists(layout_.certificate(host)));
  EXPECT_THAT(refusal([&] { certificate_of(session, host); }), HasSubstr("no certificate for www.example.com"));
}

TEST_F(CertificatesOfHosts, OfItsDomainsAreForAKeyThatMayDeployTheApp) {
  auto& operator_session = as({});
  add_domains(operator_session, blog_, {RoutePoint::parse("www.example.com")}, {});
  auto& anna = with_key("anna", Role::Deploy, {blog_});
  EXPECT_EQ(added(anna, "www.example.com", pem_for("www.example.com")), "(nothing thrown)");
  for (const std::string host : {"other.example.com", "*.example.com", "blog.example.org"}) {
    EXPECT_THAT(added(anna, host, pem_for(host)), HasSubstr("not a domain of an app that your key may deploy")) << host;
  }
  EXPECT_EQ(added(operator_session, "*.example.org", pem_for("*.example.org")), "(nothing thrown)");
  EXPECT_THAT(refusal([&] { remove_certificate(anna, HostName::parse("*.example.org")); }),
              HasSubstr("only administrators"));
  const auto shop = add_app("shop");
  auto& bob = with_key("bob", Role::View, {shop.name});
  EXPECT_THAT(refusal([&] { certificate_of(bob, HostName::parse("www.example.com")); }), HasSubstr("no certificate"));
}

TEST_F(CertificatesOfHosts, NeedARouterThatListensForHttps) {
  settings_.https.reset();
  EXPECT_THAT(added(as({}), "www.example.com", ""), HasSubstr("does not listen for https"));
}

TEST_F(CertificatesOfHosts, AreAwaitedAndRenewedOnlyWherePushrodObtainsThem) {
  const auto host = HostName::parse("www.example.com");
  add_domains(as({}), blog_, {RoutePoint::parse("www.example.com"), RoutePoint::parse("*.example.net")}, {});
  EXPECT_TRUE(awaited_certificates(as({})).empty());
  EXPECT_THAT(refusal([&] { renew_certificate(as({}), host); }), HasSubstr("does not obtain certificates"));
  settings_.acme = AcmeSettings{.email = "you@example.com"};
  auto& session = as({});
  const auto awaited = awaited_certificates(session);
  ASSERT_EQ(awaited.size(), 3u);
  EXPECT_THAT(awaited[0].state, HasSubstr("only by DNS-01"));
  EXPECT_EQ(awaited[1].host.str(), "blog.example.org") << "its own address";
  EXPECT_EQ(awaited[2].state, "is being obtained");
  const auto order = session.store().begin_acme_order(host, false);
  session.store().end_acme_order(order, "no route to host");
  EXPECT_THAT(awaited_certificates(session)[2].state, HasSubstr("order failed: no route to host; next 20"));
  EXPECT_EQ(list_domains(session, blog_).back().warning, "no certificate: no route to host");
  EXPECT_THAT(refusal([&] { renew_certificate(session, HostName::parse("*.example.net")); }), HasSubstr("DNS-01"));
  auto& anna = with_key("anna", Role::View, {blog_});
  EXPECT_THAT(refusal([&] { renew_certificate(anna, host); }), HasSubstr("not a domain of an app that your key"));

  EXPECT_EQ(added(session, "www.example.com", pem_for("www.example.com")), "(nothing thrown)");
  EXPECT_EQ(awaited_certificates(session).size(), 2u);
  EXPECT_THAT(refusal([&] { renew_certificate(session, host); }), HasSubstr("which Pushrod does not replace"));
}

TEST_F(CertificatesOfHosts, ThatPeopleGaveAreNotReplacedByThoseOfACa) {
  const auto host = HostName::parse("www.example.com");
  auto& session = as({});
  add_domains(session, blog_, {RoutePoint::parse("www.example.com")}, {});
  const auto ours = parse_pem(pem_for("www.example.com"));
  const auto of_ca = check_pair(ours, host, CertificateSource::Acme, now());
  EXPECT_TRUE(install_certificate(session.platform(), ours, of_ca));
  EXPECT_EQ(added(session, "www.example.com", pem_for("www.example.com")), "(nothing thrown)");
  const auto given = *read_file(layout_.certificate(host));
  EXPECT_FALSE(install_certificate(session.platform(), ours, of_ca));
  EXPECT_EQ(*read_file(layout_.certificate(host)), given);
  EXPECT_EQ(session.store().certificate(host)->source, CertificateSource::Operator);
}

TEST_F(CertificatesOfHosts, StayWhenTheyCameWhileTheOldOneWasBeingRemoved) {
  const auto host = HostName::parse("www.example.com");
  auto& session = as({});
  add_domains(session, blog_, {RoutePoint::parse("www.example.com")}, {});
  const auto ours = parse_pem(pem_for("www.example.com"));
  const auto of_ca = check_pair(ours, host, CertificateSource::Acme, now());
  install_certificate(session.platform(), ours, of_ca);
  EXPECT_EQ(added(session, "www.example.com", pem_for("www.example.com")), "(nothing thrown)");
  uninstall_certificate(session.platform(), of_ca);
  ASSERT_TRUE(session.store().certificate(host));
  EXPECT_TRUE(fs::exists(layout_.certificate(host)));
}

TEST_F(CertificatesOfHosts, WhoseChangeWasKilledAreAsTheDatabaseSaysAtTheDaemonsNextPass) {
  const auto host = HostName::parse("www.example.com");
  auto& session = as({});
  const auto ours = parse_pem(pem_for("www.example.com"));
  const auto certificate = check_pair(ours, host, CertificateSource::Operator, now());
  const auto platform = session.platform();
  CertificateKeeper keeper(platform);
  stage_pair(layout_, certificate, ours);
  keeper.pass(now());
  EXPECT_TRUE(list_directory(layout_.certificates()).empty()) << "killed before the database knew";
  stage_pair(layout_, certificate, ours);
  session.store().set_certificate(certificate);
  keeper.pass(now());
  EXPECT_EQ(read_file(layout_.certificate(host)), ours.text()) << "killed after it";
  session.store().remove_certificate(host);
  keeper.pass(now());
  EXPECT_TRUE(list_directory(layout_.certificates()).empty()) << "removed, and killed before its file went";
}

}  // namespace
}  // namespace pushrod
