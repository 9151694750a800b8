// Pasted keys: the same fingerprints as ssh-keygen's, and a clear word for everything that is no key.
#include "ssh/public_key.hh"

#include <gtest/gtest.h>

#include <random>

#include "base/text.hh"
#include "fixtures.hh"

namespace pushrod {
namespace {

const std::string kEd25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ6SvLKZGzlnhqkMVNnzBRtDhdb9ly4PGz0+KmZkVJWQ";
const std::string kGiveInstead = " | give one line such as the content of ~/.ssh/id_ed25519.pub";
const std::string kWholeLine = " | copy the whole line, without line breaks";

std::string problem_of(const std::string& text) {
  const std::string problem = refusal([&] { parse_public_key(text); });
  const std::string prefix = "not a public key: ";
  return problem.starts_with(prefix) ? problem.substr(prefix.size()) : problem;
}

struct Made {
  std::string type;
  std::vector<std::string> options;
};

TEST(PublicKey, HasTheFingerprintThatSshKeygenPrints) {
  const Made kinds[] = {
      {"ssh-ed25519", {"-t", "ed25519"}},
      {"ssh-rsa", {"-t", "rsa", "-b", "2048"}},
      {"ecdsa-sha2-nistp256", {"-t", "ecdsa", "-b", "256"}},
      {"ecdsa-sha2-nistp384", {"-t", "ecdsa", "-b", "384"}},
      {"ecdsa-sha2-nistp521", {"-t", "ecdsa", "-b", "521"}},
  };
  const SshDirectory directory;
  for (const Made& kind : kinds) {
    const std::filesystem::path file = directory.path() / kind.type;
    make_key(file, kind.options);
    const std::string text = content_of(file.native() + ".pub");
    const PublicKey key = parse_public_key(text);
    Command list;
    list.argv = {"ssh-keygen", "-l", "-E", "sha256", "-f", file.native() + ".pub"};
    EXPECT_EQ(key.fingerprint, split(run_checked(list), ' ').at(1)) << kind.type;
    EXPECT_EQ(key.text, text.substr(0, text.find(" somebody@somewhere"))) << kind.type;
    EXPECT_TRUE(key.text.starts_with(kind.type + " "));
  }
}

// Security keys cannot be made without one; these were written field by field as OpenSSH's PROTOCOL.u2f says, and
// ssh-keygen must agree that they are keys.
TEST(PublicKey, SecurityKeysAreTaken) {
  const std::string keys[] = {
      "sk-ssh-ed25519@openssh.com "
      "AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIJ6SvLKZGzlnhqkMVNnzBRtDhdb9ly4PGz0+KmZkVJWQAAAABHNzaDo=",
      "sk-ecdsa-sha2-nistp256@openssh.com "
      "AAAAInNrLWVjZHNhLXNoYTItbmlzdHAyNTZAb3BlbnNzaC5jb20AAAAIbmlzdHAyNTYAAABBBGsX0fLhLEJH+Lzm5WOkQPJ3A32BLeszoPShOU"
      "XYmMKWT+NC4v4af5uO5+tKfA+eFivOM1drMV7Oy7ZAaDe/UfUAAAAEc3NoOg==",
  };
  for (const std::string& text : keys) {
    Command list;
    list.argv = {"ssh-keygen", "-l", "-f", "-"};
    list.input = text + "\n";
    EXPECT_EQ(parse_public_key(text).fingerprint, split(run_checked(list), ' ').at(1));
  }
}

TEST(PublicKey, LosesItsComment) {
  for (const std::string& text : std::vector<std::string>{
           kEd25519, kEd25519 + "\n", kEd25519 + "\r\n", kEd25519 + " me@home", kEd25519 + " a b\n",
           " " + kEd25519 + "\t", kEd25519 + " command=\"x\"", kEd25519 + " Zo\xc3\xab"}) {
    EXPECT_EQ(parse_public_key(text).text, kEd25519) << text;
  }
}

TEST(PublicKey, TextThatIsNoPublicKeyIsRefusedWithAGuessOfWhatItIs) {
  const std::string blob = kEd25519.substr(kEd25519.find(' ') + 1);
  EXPECT_EQ(problem_of(""), "the text is empty" + kGiveInstead);
  EXPECT_EQ(problem_of(" \n"), "the text is empty" + kGiveInstead);
  EXPECT_EQ(problem_of("ssh-ed25519"), "nothing follows the type \"ssh-ed25519\"" + kGiveInstead);
  EXPECT_EQ(problem_of(blob), "the key type is missing | give the whole line, beginning with the type");
  EXPECT_EQ(problem_of("hello world"), "unknown key type \"hello\"" + kGiveInstead);
  EXPECT_EQ(problem_of("~/.ssh/id_ed25519.pub"),
            "\"~/.ssh/id_ed25519.pub\" looks like the name of a file | give the content of the file");
  const std::string options = " | options are not taken over: give the key alone, beginning with its type";
  EXPECT_EQ(problem_of("command=\"id\" " + kEd25519),
            "there is something in front of the key type: \"command=\\\"id\\\"\"" + options);
  EXPECT_EQ(problem_of("restrict,pty " + kEd25519),
            "there is something in front of the key type: \"restrict,pty\"" + options);
  EXPECT_EQ(problem_of("environment=\"A=b c\" " + kEd25519),
            "there is something in front of the key type: \"environment=\\\"A=b\"" + options);
  EXPECT_EQ(problem_of("host.example " + kEd25519),
            "there is something in front of the key type: \"host.example\"" + options);

  const std::string one_line = " | give one key at a time, on one line";
  EXPECT_EQ(problem_of(kEd25519 + "\n" + kEd25519 + "\n"), "there are several lines" + one_line);
  EXPECT_EQ(problem_of(kEd25519 + "\n\n"), "there are several lines" + one_line);
  EXPECT_EQ(problem_of("\n" + kEd25519), "there are several lines" + one_line);
  EXPECT_EQ(problem_of(kEd25519 + " me\nssh-rsa x"), "there are several lines" + one_line);
  EXPECT_EQ(problem_of(kEd25519 + " " + kEd25519), "there are two keys | give one key at a time");
  EXPECT_EQ(problem_of("ssh-ed25519 x\ry"), "it contains a control character: \"ssh-ed25519 x\\ry\"" + kGiveInstead);
  EXPECT_EQ(problem_of("ssh-ed25519 x\r\r\n"), "it contains a control character: \"ssh-ed25519 x\\r\"" + kGiveInstead);
  EXPECT_EQ(problem_of(std::string("ssh-ed25519 x\0y", 15)),
            "it contains a control character: \"ssh-ed25519 x\\x00y\"" + kGiveInstead);
  EXPECT_EQ(problem_of(std::string(20'000, 'a')), "the text is 20.0 kB long" + kGiveInstead);
}

TEST(PublicKey, NothingOfAPrivateKeyIsShown) {
  const SshDirectory directory;
  make_key(directory.path() / "key", {"-t", "ed25519"});
  const std::string hint = " | give the file beside it that ends in .pub";
  EXPECT_EQ(problem_of(content_of(directory.path() / "key")),
            "this is a private key, which must stay with its owner" + hint);
  EXPECT_EQ(problem_of("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n"),
            "this is a private key, which must stay with its owner" + hint);
  EXPECT_EQ(
      problem_of("PuTTY-User-Key-File-3: ssh-ed25519\n"),
      "this is a private key of PuTTY, which must stay with its owner | open it in PuTTYgen and give what it shows "
      "as \"Public key for pasting\"");
}

TEST(PublicKey, OtherFormatsAreRefusedWithTheWayToConvertThem) {
  EXPECT_EQ(problem_of("---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n---- END SSH2 PUBLIC KEY ----\n"),
            "this is the SSH2 format | turn it into OpenSSH's with: ssh-keygen -i -f FILE");
  EXPECT_EQ(problem_of("-----BEGIN PUBLIC KEY-----\nMIIB\n"),
            "this is a PEM file | turn it into OpenSSH's format with: ssh-keygen -i -m PKCS8 -f FILE");
  EXPECT_EQ(problem_of("ssh-dss AAAAB3NzaC1kc3M="),
            "DSA keys are no longer accepted by OpenSSH | make a new key: ssh-keygen -t ed25519");
  const SshDirectory directory;
  make_key(directory.path() / "key", {"-t", "ed25519"});
  Command sign;
  sign.argv = {"ssh-keygen", "-q", "-s", directory.path() / "key", "-I", "me", directory.path() / "key.pub"};
  run_checked(sign);
  EXPECT_EQ(problem_of(content_of(directory.path() / "key-cert.pub")),
            "this is a certificate | give the public key that it was made for (the .pub file without -cert)");
}

TEST(PublicKey, BrokenOrContradictingContentIsRefused) {
  const std::string broken = "its base64 part is broken (cut off?)" + kWholeLine;
  const std::string malformed = "its content is not that of a key of type ssh-ed25519 (cut off?)" + kWholeLine;
  EXPECT_EQ(problem_of("ssh-ed25519 AAAA*"), broken);
  EXPECT_EQ(problem_of(kEd25519.substr(0, kEd25519.size() - 1)), broken);
  EXPECT_EQ(problem_of(kEd25519 + "="), broken);
  EXPECT_EQ(problem_of(kEd25519.substr(0, kEd25519.size() - 4)), malformed);
  EXPECT_EQ(problem_of(kEd25519 + "AAAA"), malformed);
  EXPECT_EQ(problem_of(kEd25519 + "AAAAAA=="), malformed);  // one more field, an empty one
  EXPECT_EQ(problem_of("ssh-ed25519 AAAA"), malformed);
  EXPECT_EQ(problem_of("ssh-ed25519 /////w=="), malformed);  // a length of 4 GB
  EXPECT_EQ(problem_of("ssh-rsa " + kEd25519.substr(12)),
            "it says ssh-rsa but holds \"ssh-ed25519\" | copy the whole line as it is in the .pub file");
  EXPECT_EQ(problem_of("sk-ssh-ed25519@openssh.com " + kEd25519.substr(12)),
            "it says sk-ssh-ed25519@openssh.com but holds \"ssh-ed25519\" | copy the whole line as it is in the .pub "
            "file");
}

TEST(PublicKey, WeakRsaIsRefused) {
  const SshDirectory directory;
  make_key(directory.path() / "key", {"-t", "rsa", "-b", "1024"});
  EXPECT_EQ(problem_of(content_of(directory.path() / "key.pub")),
            "an RSA key of 1024 bits is too weak; 2048 are needed | make a new key: ssh-keygen -t ed25519");
}

// Whatever one byte is changed to, the answer is a key of which nothing but type and base64 is left, or a UserError.
TEST(PublicKey, ChangedKeysAreKeysOrRefused) {
  std::mt19937 random(1);
  const auto below = [&](std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
  };
  for (int round = 0; round < 50'000; ++round) {
    std::string text = kEd25519 + " me@home\n";
    for (std::size_t changes = 1 + below(3); changes > 0; --changes) {
      text[below(text.size())] = static_cast<char>(below(256));
    }
    try {
      const PublicKey key = parse_public_key(text);
      ASSERT_EQ(parse_public_key(key.text).text, key.text);
      ASSERT_EQ(key.text.find_first_of("\n\r\"\\\0"), std::string::npos);
      ASSERT_EQ(key.text.size(), kEd25519.size());
    } catch (const UserError& error) {
      ASSERT_TRUE(error.message().starts_with("not a public key: "));
    }
  }
}

}  // namespace
}  // namespace pushrod
