// A key pair of ssh-keygen's, and an ssh-agent that holds a private key for as long as a build needs it.
#pragma once

#include <filesystem>
#include <string>

#include "base/secret.hh"
#include "os/command.hh"

namespace pushrod {

struct KeyPair {
  std::string public_key;  // one line, with the comment
  Secret private_key;
};
// An ed25519 key. Replaces what lies at `directory`, from a process that was killed; it is gone afterwards.
KeyPair make_key_pair(const std::filesystem::path& directory, const std::string& comment);

// A private directory with "agent", the socket of an ssh-agent that has the key. Programs that reach the socket can
// sign with the key and cannot read it. The agent ends with this object, and when this process is killed.
class SshAgent {
 public:
  // Removes what lies at `directory`.
  SshAgent(std::filesystem::path directory, const Secret& private_key);
  ~SshAgent();
  SshAgent(const SshAgent&) = delete;
  SshAgent& operator=(const SshAgent&) = delete;

  const std::filesystem::path& directory() const { return directory_; }

 private:
  std::filesystem::path directory_;
  ChildProcess agent_;
};

}  // namespace pushrod
