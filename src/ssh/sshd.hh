// The built-in SSH server: the files that OpenSSH reads, and the command that starts it. The caller runs it.
// Pure except account_name(), startups_here(), sshd_command() (finds sshd) and the two functions that write under ssh/.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "model/app.hh"
#include "model/layout.hh"
#include "model/settings.hh"
#include "os/command.hh"
#include "ssh/startups.hh"

namespace pushrod {

// One line per key: `restrict,pty,command="<program> --root <root> gate --key <id>" <type> <base64>`. sshd has the
// account's login shell run the command, so the account needs one (not nologin). Throws UserError when program or root
// cannot be written safely into such a line (double quotes, backslashes, control characters, a relative path).
std::string render_authorized_keys(const std::vector<Key>& keys, const std::filesystem::path& program,
                                   const std::filesystem::path& root);
// Writes ssh/authorized_keys (0600, atomically); makes ssh/ if it does not exist.
void write_authorized_keys(const Layout& layout, const std::vector<Key>& keys, const std::filesystem::path& program);

// The name of the account that runs Pushrod: the only one that may log in. Throws Error when the user has no account.
std::string account_name();
// An unprivileged sshd: keys only, no PAM, no forwarding, AcceptEnv GIT_PROTOCOL and nothing else.
std::string render_sshd_config(const Layout& layout, const ListenAddress& listen,
                               const std::string& account = account_name(), const Startups& startups = startups_here());
// Where that text belongs for sshd_command to find it: run/sshd/sshd_config.
std::filesystem::path sshd_config_file(const Layout& layout);
// Makes ssh/host_ed25519_key with ssh-keygen, unless it exists: the fingerprint never changes. A crash leaves no key or
// the whole key. Not for two processes at a time (`up` holds the tree's lock).
void ensure_host_key(const Layout& layout);
std::filesystem::path host_key_file(const Layout& layout);
// sshd in the foreground, logging to standard error.
Command sshd_command(const Layout& layout);

}  // namespace pushrod
