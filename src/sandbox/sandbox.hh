// The walls (I7): bubblewrap's argument vector for a build, a release command or an instance.
// Floor 3. Pure but for probe().
//
// Inside: /app, /data, private /tmp and /dev/shm, /proc, /dev, read-only /usr (and /bin, /sbin, /lib* as the host has
// them), the parts of /etc that programs need (resolver, certificates, passwd and group of two made-up lines, ld.so,
// alternatives, localtime, ssl), own pid, ipc, uts, cgroup and user namespaces, a new session, no capabilities, the
// host's network. Nothing of the root directory but what is mounted.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "os/command.hh"

namespace pushrod {

struct Mount {
  std::filesystem::path from;  // on the host
  std::string to;              // in the sandbox
  bool writable = false;
};

struct Sandbox {
  std::vector<Mount> mounts;       // in order; later ones lie over earlier ones
  std::string directory = "/app";  // where the command starts
  std::string host_name;           // shown as hostname: the app's name
  Environment environment;         // all that the command gets
  std::string command;             // /bin/sh -c "exec …" is not added: /bin/sh -c <command>
  bool die_with_parent = true;
};

// argv[0] is bwrap. The environment is not in it: whoever executes bwrap gives it that environment. `info_fd` and
// `sync_fd`, when given, become --info-fd and --sync-fd (the latter is held open for as long as anything in the sandbox
// lives).
std::vector<std::string> bwrap_arguments(const Sandbox& sandbox, std::optional<int> info_fd = {},
                                         std::optional<int> sync_fd = {});

// A command that runs the sandbox as a child of ours (builds, release commands).
Command sandbox_command(const Sandbox& sandbox);

// Runs `true` in an empty sandbox; empty when that works, otherwise what is missing and how to get it (user namespaces
// switched off, no bwrap, …).
std::string probe_sandbox();

}  // namespace pushrod
