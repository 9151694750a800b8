// What sandbox.cc and shim_spec.cc share: the argument vector, in its two forms.
// Used inside sandbox/ only.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "sandbox/sandbox.hh"

namespace pushrod {

// /bin, /sbin, /lib*, as this host has them.
struct HostRoot {
  std::vector<std::pair<std::string, std::string>> symlinks;  // "/bin" → "usr/bin"
  std::vector<std::string> directories;
  std::vector<std::string> etc_directories;  // "ssl": mounted over the rendered /etc
  std::string shell = "/bin/sh";             // command_shell()
};
HostRoot read_host_root();

// What pushrod-shim is as pid 1 of the sandbox; see src/shim/README.md.
enum class ShimRole {
  Init,  // of an instance or a job: obeys its keeper
  Run,   // of a build or a release command: ends with the process that started the sandbox
};

// argv[0] is "bwrap". The environment is not in it.
std::vector<std::string> bwrap_arguments(const Sandbox& sandbox, ShimRole role, const HostRoot& host);

// pushrod-shim on the host.
std::filesystem::path shim_of(const Sandbox& sandbox);

// The sandbox's variables as bwrap is to be given them.
Environment bwrap_environment(const Sandbox& sandbox);

}  // namespace pushrod
