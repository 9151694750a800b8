// Renders sshd_config and authorized_keys, makes the host key, and says how sshd is started.
// `pushrod up` writes and starts, the key commands rewrite authorized_keys.
#include "ssh/sshd.hh"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "base/error.hh"
#include "base/text.hh"
#include "os/files.hh"
#include "ssh/public_key.hh"

namespace pushrod {

namespace {

// Between the double quotes of both files a path stands as it is; these would end the quotes or the line, and no
// escape is read the same by all that read it (sshd, then the login shell).
std::string safe_path(const fs::path& path, std::string_view what) {
  const std::string& text = path.native();
  const auto is_unsafe = [](unsigned char c) { return c < 0x20 || c == 0x7f || c == '"' || c == '\\'; };
  if (!path.is_absolute() || std::any_of(text.begin(), text.end(), is_unsafe)) {
    throw UserError(fmt::format("the path of {} cannot be used with SSH: {}", what, quoted(text)),
                    "choose an absolute path without double quotes, backslashes and control characters");
  }
  return text;
}

// A safe path as a value in sshd_config; where there are tokens, "%" begins one.
std::string config_path(const fs::path& path, bool has_tokens) {
  std::string value = "\"";
  for (const char character : path.native()) {
    value += character;
    if (has_tokens && character == '%') value += '%';
  }
  return value + "\"";
}

// AllowUsers takes patterns: a character with a meaning in one is replaced by "any one character". An unprivileged sshd
// can log in its own account only, so no other account is let in by this.
std::string account_pattern(std::string account) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  };
  std::replace_if(
      account.begin(), account.end(), [&](char c) { return !is_plain(c); }, '?');
  return account;
}

std::string listen_lines(const ListenAddress& listen) {
  if (listen.host == "*") return fmt::format("AddressFamily any\nPort {}\n", listen.port);
  return fmt::format("ListenAddress {}\n", listen.str());
}

fs::path authorized_keys_file(const Layout& layout) { return layout.ssh() / "authorized_keys"; }

fs::path public_host_key_file(const Layout& layout) {
  fs::path file = host_key_file(layout);
  file += ".pub";
  return file;
}

std::string read_made_file(const fs::path& path) {
  auto text = read_file(path);
  if (!text || text->empty()) throw Error(fmt::format("ssh-keygen left no {}", quoted(path.native())));
  return *std::move(text);
}

}  // namespace

std::string render_authorized_keys(const std::vector<Key>& keys, const fs::path& program, const fs::path& root) {
  const std::string gate = fmt::format("{} --root {} gate", shell_quoted(safe_path(program, "the program")),
                                       shell_quoted(safe_path(root, "the root directory")));
  std::string text = "# Written by Pushrod; changes are lost.\n";
  for (const Key& key : keys) {
    // The key was checked when it was added. Check it again: no other line may get into the file.
    if (parse_public_key(key.public_key).text != key.public_key) {
      throw Error(fmt::format("the stored key {} is not one plain key", quoted(key.name.str())));
    }
    text += fmt::format("restrict,pty,command=\"{} --key {}\" {}\n", gate, key.id, key.public_key);
  }
  return text;
}

void write_authorized_keys(const Layout& layout, const std::vector<Key>& keys, const fs::path& program) {
  const std::string text = render_authorized_keys(keys, program, layout.root());
  make_directory(layout.ssh());
  write_file(authorized_keys_file(layout), text);
}

std::string account_name() {
  errno = 0;
  const passwd* account = getpwuid(geteuid());
  if (account == nullptr) {
    throw Error(fmt::format("the user with number {} has no account, and SSH logs in accounts only", geteuid()),
                "run Pushrod as a user that `getent passwd` knows");
  }
  return account->pw_name;
}

std::string render_sshd_config(const Layout& layout, const ListenAddress& listen, const std::string& account,
                               const Startups& startups) {
  safe_path(layout.root(), "the root directory");
  return fmt::format(R"(# Written by Pushrod; changes are lost.
{listen}HostKey {host_key}
AllowUsers {account}

# Who: keys that Pushrod wrote, and nothing else.
AuthorizedKeysFile {authorized_keys}
AuthenticationMethods publickey
PubkeyAuthentication yes
PasswordAuthentication no
KbdInteractiveAuthentication no
HostbasedAuthentication no
GSSAPIAuthentication no
KerberosAuthentication no
UsePAM no
# The root directory is checked at every start and is 0700. StrictModes would besides refuse a root below a directory
# that others can write to, such as /tmp with its sticky bit.
StrictModes no
# Clients offer every key of their agent.
MaxAuthTries 20

# Connections that wait for their login: those of one address (in IPv6, of one network) must not keep others out. The time
# is enough to type a passphrase.
LoginGraceTime 30
MaxStartups {most}
PerSourceMaxStartups {per_address}
PerSourceNetBlockSize 32:64
{penalties}
# What: the gate, without side doors; with a terminal for what runs beside an app.
DisableForwarding yes
AllowTcpForwarding no
AllowStreamLocalForwarding no
AllowAgentForwarding no
X11Forwarding no
GatewayPorts no
PermitTunnel no
PermitTTY yes
PermitUserRC no
PermitUserEnvironment no
AcceptEnv GIT_PROTOCOL
PrintMotd no
PrintLastLog no

# Until when: a client that is gone is noticed within two minutes, a silent build disturbs nobody.
ClientAliveInterval 30
ClientAliveCountMax 3
TCPKeepAlive yes

UseDNS no
PidFile none
LogLevel INFO
)",
                     fmt::arg("listen", listen_lines(listen)),
                     fmt::arg("host_key", config_path(host_key_file(layout), false)),
                     fmt::arg("account", account_pattern(account)), fmt::arg("most", startups.most),
                     fmt::arg("per_address", startups.per_address),
                     fmt::arg("penalties", startups.has_penalties ? "PerSourcePenalties no\n" : ""),
                     fmt::arg("authorized_keys", config_path(authorized_keys_file(layout), true)));
}

fs::path sshd_config_file(const Layout& layout) { return layout.sshd() / "sshd_config"; }

fs::path host_key_file(const Layout& layout) { return layout.ssh() / "host_ed25519_key"; }

void ensure_host_key(const Layout& layout) {
  const fs::path key = host_key_file(layout);
  if (is_plain_file(key)) return;
  make_directory(layout.ssh());
  const fs::path made = layout.ssh() / "host_key.new";
  const fs::path made_public = layout.ssh() / "host_key.new.pub";
  remove_file(made);  // ssh-keygen would ask whether to overwrite
  remove_file(made_public);
  Command keygen;
  keygen.argv = {"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "pushrod", "-f", made.native()};
  run_checked(keygen);
  // The key itself comes last: once it is there, everything is.
  write_file(public_host_key_file(layout), read_made_file(made_public), 0644);
  write_file(key, read_made_file(made));
  remove_file(made);
  remove_file(made_public);
}

Command sshd_command(const Layout& layout) {
  const auto program = find_program("sshd");
  if (!program)
    throw Error("sshd is not installed",
                "install it (Debian: apt install openssh-server), or set [ssh] enabled = false");
  Command command;
  // By its full path: sshd starts itself anew for every connection.
  command.argv = {program->native(), "-D", "-e", "-f", sshd_config_file(layout).native()};
  return command;
}

}  // namespace pushrod
