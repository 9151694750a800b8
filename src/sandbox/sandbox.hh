// The walls (I7): bubblewrap's argument vector for a build, a release command or an instance.
// Pure except write_sandbox_etc(), write_sandbox_hosts(), command_shell(), sandbox_command() (finds programs),
// probe_sandbox() and probe_writable().
//
// Inside: /app, /data, private /tmp and /dev/shm, /proc, /dev, read-only /usr and /opt (and /bin, /sbin, /lib* as the
// host has them), the parts of /etc that programs need (resolver, certificates, passwd and group of made-up lines,
// ld.so, alternatives, fonts, java, php, ssl …), own pid, ipc, uts, cgroup and user namespaces and no further ones,
// a new session, no capabilities, the host's network (unless it is to have none). Nothing of the root directory but
// what is mounted.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "model/layout.hh"
#include "model/process.hh"
#include "model/release_mount.hh"
#include "os/command.hh"
#include "os/socket.hh"

namespace pushrod {

struct Mount {
  std::filesystem::path from;  // on the host
  std::string to;              // in the sandbox
  bool writable = false;
};

// A directory that the shim mounts inside of the sandbox, over a directory of a mount above. bwrap follows symlinks
// when it makes a mount point, so it never mounts below files that an app controls; the shim opens each part of the
// path without following any.
struct SandboxLayer {
  std::filesystem::path from;       // on the host; mounted read-only
  std::string path;                 // in the sandbox: "/app/node_modules"; a directory that is there
  std::filesystem::path changes{};  // on the host, with upper/ and work/ in it: gets what is changed; empty: read-only
};

struct Sandbox {
  std::vector<Mount> mounts;       // in order; later ones lie over earlier ones
  std::string directory = "/app";  // where the command starts
  std::string host_name;           // shown as hostname: the app's name
  Environment environment;         // all that the command gets
  std::string command;             // run by command_shell() with -c; no "exec" is added
  Limits limits;                   // how each is enforced: limits.hh
  std::uint64_t tmpfs_bytes = 0;   // the most in /tmp, and again in /dev/shm; 0: as the kernel limits them
  unsigned oom_score = 0;          // up to 1000: how much sooner than others it is ended when memory runs out
  std::filesystem::path cgroup;    // of its own, with memory, cpu and processes limited there (cgroup.hh); empty: none
  std::vector<std::string> argv;   // instead of command: these words exactly; the first is looked for on the PATH
  std::vector<Port> ports;         // the only TCP ports that may be listened on, beside those that the kernel chooses
  std::filesystem::path etc;       // what write_sandbox_etc() made: becomes /etc; empty: no /etc
  std::filesystem::path shim;      // pushrod-shim on the host; empty: beside the running program
  // Directories of /app, relative to it ("." is all of it), that may be written to although /app is mounted read-only.
  // They must be there, without symlinks on the way. What is written ends with the sandbox, has 256 MiB (less
  // where `limits.memory` is less and there is no cgroup), and is seen by no other sandbox.
  std::vector<std::string> writable;
  std::vector<SandboxLayer> layers;
  bool network = true;         // false: nothing but a loopback of its own
  std::optional<int> starter;  // a pidfd that the sandbox inherits: it ends when that process has ended
};

// Adds the release's mounts that the sandbox may use; `access` is &ReleaseMount::building or &ReleaseMount::running.
void add_mounts(Sandbox& sandbox, const Layout& layout, const Checkout& checkout, const ReleaseMounts& mounts,
                Access ReleaseMount::*access);

// What runs the commands of apps: /bin/bash, as on Heroku, or /bin/sh where this machine has no bash.
std::string command_shell();

// Renders the sandboxes' /etc into the directory (layout.sandbox_etc()) and returns it: copies of the few files that
// programs need, passwd and group of made-up lines. Cheap when nothing changed: call it before every sandbox. Running
// sandboxes see a changed resolv.conf at once.
std::filesystem::path write_sandbox_etc(const std::filesystem::path& directory);

// The /etc/hosts of sandboxes of that name: beside `etc`, a file for each name, since sandboxes share `etc`. In it the
// name and localhost are 127.0.0.1, then ::1; the host's other names follow. Without the file they find the one of
// `etc`.
std::filesystem::path sandbox_hosts(const std::filesystem::path& etc, const std::string& host_name);
void write_sandbox_hosts(const Sandbox& sandbox);  // as cheap as the above

// A command that runs the sandbox as a child of the caller (builds, release commands). It ends with its main process,
// and when this process ends. The variables are not in argv, which every user of the machine can read,
// and mean nothing to bwrap: they are passed under names that begin with '+' (see src/shim/README.md).
Command sandbox_command(const Sandbox& sandbox);

// Runs `true` in an empty sandbox; empty when that works, otherwise what is missing and how to get it (user namespaces
// switched off, no bwrap, …).
std::string probe_sandbox();
// The same for a writable directory that is not empty, which takes an overlay.
std::string probe_writable();

}  // namespace pushrod
