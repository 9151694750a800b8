// PEM as people give it: what is kept, and what is refused.
#include "certificates/pem.hh"

#include <gtest/gtest.h>

#include "base/error.hh"

namespace pushrod {
namespace {

std::string block(const std::string& label, const std::string& content = "AAAA") {
  return "-----BEGIN " + label + "-----\n" + content + "\n-----END " + label + "-----\n";
}

std::string refusal(const std::string& text) {
  try {
    parse_pem(text);
  } catch (const UserError& error) {
    return error.message();
  }
  return "accepted";
}

TEST(Pem, KeepsTheBlocksInOrderAndNothingElse) {
  const auto pair = parse_pem("subject=CN = www\r\n\n" + block("CERTIFICATE", "AAAA\r") + "issuer=x\n" +
                              block("EC PARAMETERS") + block("EC PRIVATE KEY", "KEY=") + block("CERTIFICATE", "BBBB"));
  ASSERT_EQ(pair.chain.size(), 2u);
  EXPECT_EQ(pair.text(), block("CERTIFICATE", "AAAA") + block("CERTIFICATE", "BBBB") + block("EC PRIVATE KEY", "KEY="));
}

TEST(Pem, RefusalsSayWhatIsWrong) {
  const auto certificate = block("CERTIFICATE"), key = block("PRIVATE KEY");
  EXPECT_EQ(refusal(""), "there is no certificate and no private key in PEM");
  EXPECT_EQ(refusal(certificate), "the private key is missing");
  EXPECT_EQ(refusal(key), "the certificate is missing");
  EXPECT_EQ(refusal(certificate + key + key), "there are two private keys");
  EXPECT_EQ(refusal(certificate + block("ENCRYPTED PRIVATE KEY")), "the private key is encrypted");
  EXPECT_EQ(refusal(certificate + block("RSA PRIVATE KEY", "Proc-Type: 4,ENCRYPTED\nDEK-Info: x")),
            "the private key is encrypted");
  EXPECT_EQ(refusal(certificate + block("CERTIFICATE REQUEST") + key), "there is a block \"CERTIFICATE REQUEST\"");
  EXPECT_EQ(refusal(certificate + "-----BEGIN PRIVATE KEY-----\nAAAA\n"),
            "the last block (\"PRIVATE KEY\") has no end");
  EXPECT_EQ(refusal(block("CERTIFICATE", "AA\x1b[2J")), "this is not PEM: a block has a line that is not base64");
  std::string many;
  for (int number = 0; number < 11; ++number) many += certificate;
  EXPECT_EQ(refusal(many + key), "there are 11 certificates");
}

}  // namespace
}  // namespace pushrod
