// The built-in SSH server: files that OpenSSH reads. Said here, written and run by others.
// Floor 3. Pure but for the two functions that write under ssh/.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "model/app.hh"
#include "model/layout.hh"
#include "model/settings.hh"
#include "os/command.hh"

namespace pushrod {

// Only lines that we wrote: `restrict,command="<program> --root <root> gate --key <id>" <type> <base64>`.
std::string render_authorized_keys(const std::vector<Key>& keys, const std::filesystem::path& program,
                                   const std::filesystem::path& root);
// Writes ssh/authorized_keys (0600, atomically). Throws UserError when program or root cannot be written safely into
// such a line (quotes, newlines).
void write_authorized_keys(const Layout& layout, const std::vector<Key>& keys, const std::filesystem::path& program);

// An unprivileged sshd: keys only, no PAM, no forwarding, AcceptEnv GIT_PROTOCOL and nothing else.
std::string render_sshd_config(const Layout& layout, const ListenAddress& listen);
// ssh/host_ed25519_key, made once with ssh-keygen; its fingerprint and public key stay the same for ever.
void ensure_host_key(const Layout& layout);
// sshd in the foreground, logging to standard error.
Command sshd_command(const Layout& layout);

}  // namespace pushrod
