// Certificates: who may add which, and what is told of them.
#include "operate/certificates.hh"

#include "certificates/files.hh"
#include "certificates/openssl.hh"
#include "deploy/certificates.hh"
#include "fixtures.hh"
#include "operate/dns_credentials.hh"
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

TEST_F(CertificatesOfHosts, OfAWildcardNeedCredentialsOfItsDnsProviderOrOneThatPeopleGave) {
  settings_.acme = AcmeSettings{.email = "you@example.com"};
  auto& session = as({});
  const auto add = [&](const std::string& host) {
    return refusal([&] { add_domains(session, blog_, {RoutePoint::parse(host)}, {}); });
  };
  EXPECT_THAT(add("*.example.com"), HasSubstr("no credentials of its DNS provider | an administrator gives them"));
  EXPECT_EQ(add("*.blog.lan"), "(nothing thrown)") << "no CA certifies it anyway";
  EXPECT_EQ(added(session, "*.example.com", pem_for("*.example.com")), "(nothing thrown)");
  EXPECT_EQ(add("*.example.com"), "(nothing thrown)");
  EXPECT_THAT(add("*.example.net"), HasSubstr("no credentials"));
  set_dns_credentials(session, "example.net", "cloudflare", "CF_DNS_API_TOKEN=hunter22\n");
  EXPECT_THAT(last_record(), HasSubstr("cert dns set cloudflare for example.net: done"));
  EXPECT_EQ(add("*.example.net"), "(nothing thrown)");
  EXPECT_THAT(add("*.example.edu"), HasSubstr("no credentials"));
  settings_.acme.reset();
  auto& without = as({});
  EXPECT_EQ(refusal([&] { add_domains(without, blog_, {RoutePoint::parse("*.example.edu")}, {}); }),
            "(nothing thrown)");
}

TEST_F(CertificatesOfHosts, AreOneForAWildcardAndTheHostsBelowIt) {
  settings_.acme = AcmeSettings{.email = "you@example.com"};
  auto& session = as({});
  const auto wildcard = HostName::parse("*.example.net"), host = HostName::parse("a.example.net");
  set_dns_credentials(session, "", "cloudflare", "CF_DNS_API_TOKEN=hunter22\n");
  add_domains(session, blog_, {RoutePoint::parse("*.example.net"), RoutePoint::parse("a.example.net")}, {});
  const auto ordered = [&] {
    std::vector<std::string> hosts;
    for (const auto& state : acme_states(session.platform(), now())) hosts.push_back(state.want.host.str());
    return hosts;
  };
  EXPECT_THAT(ordered(), testing::ElementsAre("*.example.net", "*.example.org")) << "apps' own addresses have one, too";
  const auto order = session.store().begin_acme_order(wildcard, false);
  session.store().end_acme_order(order, "wrong token");
  EXPECT_THAT(ordered(), testing::Contains("a.example.net")) << "it need not wait for what fails";
  EXPECT_TRUE(session.store().acme_requests().empty());
  set_dns_credentials(session, "", "cloudflare", "CF_DNS_API_TOKEN=hunter23\n");
  EXPECT_TRUE(session.store().acme_requests().contains(wildcard));
  const auto pair = parse_pem(pem_for("*.example.net"));
  install_certificate(session.platform(), pair, check_pair(pair, wildcard, CertificateSource::Acme, now()));
  EXPECT_THAT(ordered(), testing::ElementsAre("*.example.net", "*.example.org"));
}

TEST_F(CertificatesOfHosts, ThroughADnsProviderTakeVariablesThatLegoDocuments) {
  auto& session = as({});
  const auto set = [&](Session& who, const std::string& provider, const std::string& text) {
    return refusal([&] { set_dns_credentials(who, "", provider, text); });
  };
  EXPECT_THAT(set(session, "cloudfare", "A=b\n"), HasSubstr("does not know a DNS provider named \"cloudfare\""));
  EXPECT_THAT(set(session, "exec", "EXEC_PATH=/bin/sh\n"), HasSubstr("does not name a DNS provider"));
  EXPECT_THAT(set(session, "httpreq", "LD_PRELOAD=/x\n"), HasSubstr("httpreq has no variable named LD_PRELOAD"));
  EXPECT_THAT(set(session, "httpreq", "\n"), HasSubstr("no credentials in it"));
  auto& admin = as({store().add_key(KeyName::parse("root"), "ssh-ed25519 root", "SHA256:root", Role::Admin, {})});
  EXPECT_THAT(set(admin, "gcloud", "GCE_SERVICE_ACCOUNT_FILE=/etc/x\n"), HasSubstr("cannot be done over SSH"));
  EXPECT_EQ(set(session, "gcloud", "GCE_SERVICE_ACCOUNT_FILE=/etc/x\n"), "(nothing thrown)");
  EXPECT_THAT(set(with_key("anna", Role::Deploy, {blog_}), "httpreq", "A=b\n"), HasSubstr("administrator"));
  const auto all = list_dns_credentials(session);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].variables, std::vector<std::string>{"GCE_SERVICE_ACCOUNT_FILE"});
  EXPECT_EQ(session.store().dns_credentials()[0].sealed.find("/etc/x"), std::string::npos);
  remove_dns_credentials(session, "");
  EXPECT_THAT(refusal([&] { remove_dns_credentials(session, ""); }), HasSubstr("there are no credentials"));
}

TEST_F(CertificatesOfHosts, ThatPeopleGaveAreNotReplacedByThoseOfACa) {
  const auto host = HostName::parse("www.example.com");
  auto& session = as({});
  add_domains(session, blog_, {RoutePoint::parse("www.example.com")}, {});
  const auto ours = parse_pem(pem_for("www.example.com"));
  const auto of_ca = check_pair(ours, host, CertificateSource::Acme, now());
  const auto fails = [] { throw Error("the same transaction"); };
  EXPECT_THROW(install_certificate(session.platform(), ours, of_ca, fails), Error);
  EXPECT_FALSE(session.store().certificate(host));
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
