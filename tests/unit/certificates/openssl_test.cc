// Certificates that OpenSSL has made: which are fit for a host, and why the others are not.
#include "certificates/openssl.hh"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>

#include "base/error.hh"
#include "certificates/files.hh"
#include "os/command.hh"
#include "os/files.hh"

namespace pushrod {
namespace {

// The example of RFC 9773, 4.1.
TEST(RenewalId, IsThatOfTheRfc) {
  EXPECT_EQ(parse_renewal_id("serial=87654321\nX509v3 Authority Key Identifier: \n"
                             "    69:88:5B:6B:87:46:40:41:E1:B3:7B:84:7B:A0:AE:2C:DE:01:C8:D4\n"),
            "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE");
  EXPECT_EQ(parse_renewal_id("serial=01\nX509v3 Authority Key Identifier: \n    keyid:FF\n"), "_w.AQ");
  EXPECT_EQ(parse_renewal_id("serial=01\n"), std::nullopt);
}

// A CA with an intermediate, in a directory of its own.
class Certificates : public testing::Test {
 protected:
  Certificates() {
    std::string pattern = "/tmp/pushrod-certificates-XXXXXX";
    directory_ = mkdtemp(pattern.data());
    make("root", "/CN=Root", {"basicConstraints=critical,CA:TRUE"}, {});
    make("middle", "/CN=Middle", {"basicConstraints=critical,CA:TRUE"}, "root");
  }
  ~Certificates() override { remove_tree(directory_); }

  void make(const std::string& name, const std::string& subject, const std::vector<std::string>& extensions,
            const std::string& issuer, int days = 30) {
    const auto path = [&](const std::string& file) { return (directory_ / file).string(); };
    Command command;
    command.argv = {"openssl",
                    "req",
                    "-x509",
                    "-newkey",
                    "ec",
                    "-pkeyopt",
                    "ec_paramgen_curve:P-256",
                    "-nodes",
                    "-keyout",
                    path(name + ".key"),
                    "-out",
                    path(name + ".crt"),
                    "-subj",
                    subject,
                    "-days",
                    std::to_string(days)};
    for (const auto& extension : extensions) command.argv.insert(command.argv.end(), {"-addext", extension});
    if (!issuer.empty()) {
      command.argv.insert(command.argv.end(), {"-CA", path(issuer + ".crt"), "-CAkey", path(issuer + ".key")});
    }
    run_checked(command);
  }
  void make_for(const std::string& name, const std::string& names, int days = 30) {
    make(name, "/CN=" + name, {"basicConstraints=critical,CA:FALSE", "subjectAltName=" + names}, "middle", days);
  }
  std::string read(const std::string& file) { return read_file(directory_ / file).value(); }
  PemPair pair(const std::string& name, const std::vector<std::string>& issuers = {"middle"}) {
    std::string text = read(name + ".crt");
    for (const auto& issuer : issuers) text += read(issuer + ".crt");
    return parse_pem(text + read(name + ".key"));
  }
  static std::string check(const PemPair& pair, const std::string& host, WallTime at = now()) {
    try {
      check_pair(pair, HostName::parse(host), CertificateSource::Operator, at);
    } catch (const UserError& error) {
      return error.message();
    }
    return "fit";
  }
  fs::path directory_;
};

TEST_F(Certificates, ThatAreFitAreDescribed) {
  make_for("www", "DNS:www.example.com,DNS:*.example.com,IP:192.0.2.1");
  const auto certificate = check_pair(pair("www"), HostName::parse("www.example.com"), CertificateSource::Acme, now());
  EXPECT_EQ(certificate.names, (std::vector<std::string>{"www.example.com", "*.example.com"}));
  EXPECT_EQ(certificate.issuer, "CN=Middle");
  EXPECT_EQ(certificate.fingerprint.size(), 64u);
  EXPECT_FALSE(certificate.serial.empty());
  EXPECT_EQ(certificate.not_after - certificate.not_before, std::chrono::hours(24 * 30));
  EXPECT_LT(now() - certificate.not_before, std::chrono::minutes(2));
  EXPECT_EQ(check(pair("www"), "other.example.com"), "fit") << "the wildcard covers it";
  EXPECT_EQ(check(pair("www"), "*.example.com"), "fit");
}

TEST_F(Certificates, ThatAreNotForTheHostAreRefused) {
  make_for("www", "DNS:www.example.com,DNS:*.example.org");
  EXPECT_EQ(check(pair("www"), "example.com"),
            "the certificate is not valid for example.com: it names www.example.com, *.example.org");
  EXPECT_NE(check(pair("www"), "a.b.example.org"), "fit");
  EXPECT_NE(check(pair("www"), "*.example.com"), "fit");
}

TEST_F(Certificates, ThatAreNotValidNowAreRefused) {
  make_for("www", "DNS:www.example.com");
  EXPECT_NE(check(pair("www"), "www.example.com", now() + std::chrono::hours(24 * 31)).find("expired"),
            std::string::npos);
  EXPECT_NE(check(pair("www"), "www.example.com", now() - std::chrono::hours(24 * 3)).find("not valid before"),
            std::string::npos);
}

TEST_F(Certificates, OfAnotherKeyAreRefused) {
  make_for("www", "DNS:www.example.com");
  make_for("other", "DNS:www.example.com");
  auto mixed = pair("www");
  mixed.key = pair("other").key;
  EXPECT_EQ(check(mixed, "www.example.com"), "the private key is not that of the certificate");
}

TEST_F(Certificates, InAWrongOrderOrWithStrangersAreRefused) {
  make_for("www", "DNS:www.example.com");
  auto reversed = pair("www");
  std::swap(reversed.chain[0], reversed.chain[1]);
  EXPECT_EQ(check(reversed, "www.example.com"), "the certificates are in the wrong order");
  EXPECT_EQ(check(pair("www", {"root", "middle"}), "www.example.com"),
            "certificate 1 of the chain was not issued by certificate 2");
  EXPECT_EQ(check(pair("www", {"middle", "root"}), "www.example.com"), "fit");
  EXPECT_EQ(check(pair("www", {}), "www.example.com"), "fit") << "a chain that is too short is only warned of";
}

TEST_F(Certificates, ThatOpensslCannotReadAreRefused) {
  make_for("www", "DNS:www.example.com");
  auto broken = pair("www");
  broken.chain[0] = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  EXPECT_EQ(check(broken, "www.example.com"), "OpenSSL cannot read the certificate");
  broken = pair("www");
  broken.key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
  EXPECT_EQ(check(broken, "www.example.com"), "OpenSSL cannot read the private key");
}

TEST_F(Certificates, OfACaThatThisMachineDoesNotKnowAreNotTrusted) {
  make_for("www", "DNS:www.example.com");
  EXPECT_EQ(distrust_of(pair("www")), "unable to get local issuer certificate");
  EXPECT_FALSE(distrust_of(pair("www", {"middle", "root"})).empty());
}

TEST_F(Certificates, AreFilesOfTheirOwnerAloneOnceTheDatabaseNamesThem) {
  make_for("www", "DNS:www.example.com,DNS:*.example.com");
  const Layout layout(directory_ / "root");
  EXPECT_FALSE(settle_pairs(layout, {}));
  std::vector<Certificate> named;
  for (const char* host : {"www.example.com", "*.example.com"}) {
    named.push_back(check_pair(pair("www"), HostName::parse(host), CertificateSource::Operator, now()));
    stage_pair(layout, named.back(), pair("www"));
  }
  EXPECT_TRUE(installed_pairs(layout).empty());
  EXPECT_TRUE(settle_pairs(layout, named));
  EXPECT_FALSE(settle_pairs(layout, named));
  const auto pairs = installed_pairs(layout);
  ASSERT_EQ(pairs.size(), 2u);
  EXPECT_EQ(pairs[0].host.str(), "*.example.com");
  EXPECT_EQ(read_file(pairs[1].file), pair("www").text());
  struct stat status {};
  ASSERT_EQ(stat(pairs[1].file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  stage_pair(layout, named[0], pair("www"));
  EXPECT_TRUE(settle_pairs(layout, named));
  EXPECT_NE(installed_pairs(layout)[1].id, pairs[1].id) << "another file is another certificate";
  make_directory(layout.acme());
  EXPECT_TRUE(settle_pairs(layout, {named[1]}));
  EXPECT_EQ(installed_pairs(layout).size(), 1u);
  EXPECT_TRUE(fs::exists(layout.acme()));
}

TEST_F(Certificates, OfAChangeThatWasKilledLeaveNoKeyBehind) {
  make_for("www", "DNS:www.example.com");
  const Layout layout(directory_ / "root");
  const auto old = check_pair(pair("www"), HostName::parse("www.example.com"), CertificateSource::Operator, now());
  stage_pair(layout, old, pair("www"));
  settle_pairs(layout, {old});
  const auto text = read_file(layout.certificate(old.host));
  make_for("www", "DNS:www.example.com");
  const auto newer = check_pair(pair("www"), old.host, CertificateSource::Operator, now());
  stage_pair(layout, newer, pair("www"));
  write_file(layout.certificates() / ".new-XXXXXX", "a part of a key");
  EXPECT_TRUE(settle_pairs(layout, {old})) << "killed before the database knew";
  EXPECT_EQ(read_file(layout.certificate(old.host)), text);
  EXPECT_EQ(list_directory(layout.certificates()).size(), 1u);
  stage_pair(layout, newer, pair("www"));
  EXPECT_TRUE(settle_pairs(layout, {newer})) << "killed after it";
  EXPECT_EQ(read_file(layout.certificate(old.host)), pair("www").text());
  EXPECT_EQ(list_directory(layout.certificates()).size(), 1u);
}

}  // namespace
}  // namespace pushrod
