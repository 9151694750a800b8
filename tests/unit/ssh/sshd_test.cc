// What is written for sshd, word by word, and the refusals of what cannot be written.
#include "ssh/sshd.hh"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "fixtures.hh"
#include "ssh/public_key.hh"

namespace pushrod {
namespace {

const std::string kEd25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ6SvLKZGzlnhqkMVNnzBRtDhdb9ly4PGz0+KmZkVJWQ";

std::string golden(const std::string& name) { return content_of(std::filesystem::path(PUSHROD_GOLDEN_DIR) / name); }

Key key(std::int64_t id, const std::string& name, const std::string& text = kEd25519) {
  Key result{.id = id, .name = KeyName::parse(name), .public_key = text, .fingerprint = {}, .apps = {}, .created = {}};
  return result;
}

TEST(SshdConfig, IsAsAgreed) {
  EXPECT_EQ(render_sshd_config(Layout("/srv/pushrod"), {"*", 2222}, "deploy", Startups{}), golden("sshd_config"));
}

TEST(SshdConfig, ListensWhereItIsTold) {
  const auto listens = [](const ListenAddress& address, const std::string& line) {
    const std::string text = render_sshd_config(Layout("/srv/pushrod"), address, "deploy");
    return text.find("\n" + line + "\nHostKey") != std::string::npos;
  };
  EXPECT_TRUE(listens({"*", 22}, "AddressFamily any\nPort 22"));
  EXPECT_TRUE(listens({"127.0.0.1", 2222}, "ListenAddress 127.0.0.1:2222"));
  EXPECT_TRUE(listens({"::1", 2222}, "ListenAddress [::1]:2222"));
}

TEST(SshdConfig, OddAccountNamesBecomePatterns) {
  const auto allowed = [](const std::string& account) {
    const std::string text = render_sshd_config(Layout("/srv/pushrod"), {"*", 2222}, account);
    const std::size_t begin = text.find("AllowUsers ") + 11;
    return text.substr(begin, text.find('\n', begin) - begin);
  };
  EXPECT_EQ(allowed("deploy_1.x-y"), "deploy_1.x-y");
  EXPECT_EQ(allowed("me@example.com"), "me?example.com");
  EXPECT_EQ(allowed("a b\n*!"), "a?b???");
}

TEST(SshdConfig, PercentSignsAreNoTokens) {
  const std::string text = render_sshd_config(Layout("/srv/100%h x"), {"*", 2222}, "deploy");
  EXPECT_NE(text.find("\nAuthorizedKeysFile \"/srv/100%%h x/ssh/authorized_keys\"\n"), std::string::npos);
  EXPECT_NE(text.find("\nHostKey \"/srv/100%h x/ssh/host_ed25519_key\"\n"), std::string::npos);
}

TEST(AuthorizedKeys, AreAsAgreed) {
  const std::string security_key =
      "sk-ssh-ed25519@openssh.com "
      "AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIJ6SvLKZGzlnhqkMVNnzBRtDhdb9ly4PGz0+KmZkVJWQAAAABHNzaDo=";
  EXPECT_EQ(render_authorized_keys({key(1, "anna"), key(17, "ci@example.com", security_key)}, "/usr/bin/pushrod",
                                   "/srv/pushrod"),
            golden("authorized_keys"));
}

TEST(AuthorizedKeys, PathsAreQuotedForTheShell) {
  const std::string text = render_authorized_keys({key(1, "anna")}, "/opt/a b/pushrod", "/srv/it's $HOME;x");
  EXPECT_NE(
      text.find(R"(restrict,pty,command="'/opt/a b/pushrod' --root '/srv/it'\''s $HOME;x' gate --key 1" ssh-ed25519)"),
      std::string::npos)
      << text;
}

TEST(AuthorizedKeys, PathsThatCannotBeWrittenSafelyAreRefused) {
  const std::string hint = " | choose an absolute path without double quotes, backslashes and control characters";
  const auto problem = [](const std::string& program, const std::string& root) {
    return refusal([&] { render_authorized_keys({key(1, "anna")}, program, root); });
  };
  EXPECT_EQ(problem("/a\"b", "/r"), R"(the path of the program cannot be used with SSH: "/a\"b")" + hint);
  EXPECT_EQ(problem("pushrod", "/r"), R"(the path of the program cannot be used with SSH: "pushrod")" + hint);
  EXPECT_EQ(problem("/a", "/r\nssh-rsa"),
            R"(the path of the root directory cannot be used with SSH: "/r\nssh-rsa")" + hint);
  EXPECT_EQ(problem("/a", "/r\\"), R"(the path of the root directory cannot be used with SSH: "/r\\")" + hint);
  EXPECT_EQ(problem("/a", std::string("/r\0x", 4)),
            R"(the path of the root directory cannot be used with SSH: "/r\x00x")" + hint);
  EXPECT_EQ(refusal([] {
              render_sshd_config(Layout("/r\nPermitTTY yes"), {"*", 2222}, "deploy");
            }),
            R"(the path of the root directory cannot be used with SSH: "/r\nPermitTTY yes")" + hint);
}

TEST(AuthorizedKeys, AStoredKeyThatIsNotOnePlainKeyIsNeverWritten) {
  const auto render = [](const std::string& text) { render_authorized_keys({key(1, "anna", text)}, "/p", "/r"); };
  EXPECT_THROW(render(kEd25519 + "\nssh-rsa x"), Error);
  EXPECT_THROW(render(kEd25519 + " comment"), Error);
  EXPECT_THROW(render("command=\"x\" " + kEd25519), Error);
  EXPECT_THROW(render(""), Error);
}

TEST(AuthorizedKeys, ARefusedWriteLeavesTheFileAsItWas) {
  const SshDirectory directory;
  const Layout layout(directory.path());
  write_authorized_keys(layout, {key(1, "anna")}, "/usr/bin/pushrod");
  const std::string before = content_of(layout.ssh() / "authorized_keys");
  EXPECT_NE(before.find(kEd25519), std::string::npos);
  EXPECT_THROW(write_authorized_keys(layout, {key(1, "anna"), key(2, "bob", "x\ny")}, "/usr/bin/pushrod"), Error);
  EXPECT_EQ(content_of(layout.ssh() / "authorized_keys"), before);
  struct stat status {};
  ASSERT_EQ(stat((layout.ssh() / "authorized_keys").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
}

TEST(HostKey, IsMadeOnceAndWhole) {
  const SshDirectory directory;
  const Layout layout(directory.path());
  // What a crash in the middle of an earlier start would leave.
  std::filesystem::create_directory(layout.ssh());
  std::ofstream{layout.ssh() / "host_key.new"} << "half";
  ensure_host_key(layout);
  const std::string key_text = content_of(host_key_file(layout));
  const std::string public_text = content_of(host_key_file(layout).native() + ".pub");
  EXPECT_TRUE(key_text.starts_with("-----BEGIN OPENSSH PRIVATE KEY-----\n"));
  EXPECT_NO_THROW(parse_public_key(public_text));
  struct stat status {};
  ASSERT_EQ(stat(host_key_file(layout).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(layout.ssh()), {}), 2);

  ensure_host_key(layout);
  EXPECT_EQ(content_of(host_key_file(layout)), key_text);
  EXPECT_EQ(content_of(host_key_file(layout).native() + ".pub"), public_text);
}

TEST(SshdCommand, RunsInTheForegroundByItsFullPath) {
  const Command command = sshd_command(Layout("/srv/pushrod"));
  ASSERT_EQ(command.argv.size(), 5U);
  EXPECT_TRUE(command.argv[0].starts_with('/'));
  EXPECT_EQ(std::vector<std::string>(command.argv.begin() + 1, command.argv.end()),
            (std::vector<std::string>{"-D", "-e", "-f", "/srv/pushrod/run/sshd/sshd_config"}));
}

}  // namespace
}  // namespace pushrod
