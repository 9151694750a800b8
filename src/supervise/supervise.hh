// s6: service directories, and the running supervision tree.
// Service directories are disposable renderings under run/services/<name>; a symlink in run/scan makes one
// live. s6's own documentation of the formats: servicedir.html, s6-svscan.html, s6-supervise.html.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "model/exit_status.hh"
#include "model/layout.hh"
#include "os/clock.hh"

namespace pushrod {

// Lines that a service's log keeps apart.
struct LogBranch {
  std::string mark;  // what they begin with; nothing that a regular expression would understand otherwise
  std::filesystem::path directory;
  std::vector<std::string> dropped{};  // parts of lines that are not kept at all
};

struct Service {
  std::string name;                   // "blog.14.web.2", "router", "sshd", "daemon"
  std::string spec;                   // what pushrod-shim reads (sandbox/shim_spec.hh)
  Milliseconds stop_timeout{10'000};  // timeout-kill
  int stop_signal = 15;               // down-signal
  std::filesystem::path log_directory;
  std::uint64_t log_bytes = 10u << 20;
  std::optional<LogBranch> log_branch = {};
};

struct ServiceStatus {
  bool supervised = false;  // an s6-supervise looks after it
  bool up = false;          // something of it lives: its shim, or what a killed shim has left and is about to die
  bool wanted_up = false;
  pid_t pid = 0;                        // of the shim; 0 when that is not there
  Milliseconds since{0};                // how long it has been up or down
  unsigned deaths = 0;                  // ends since it was started, as s6 remembers them (s6-svdt; at most 100)
  std::optional<ExitStatus> last_exit;  // absent when it never ended
  Milliseconds backing_off{0};          // up, but after quick deaths in a row the app is started only then
};

// Is anything of a service alive? Told by the shim's own lock, without asking s6.
struct Liveness {
  bool up = false;
  Milliseconds backing_off{0};  // not up, and started only then, after quick deaths in a row
};

class Supervisor {
 public:
  // `programs`: the directory in which pushrod and pushrod-shim lie.
  Supervisor(Layout layout, std::filesystem::path programs);

  // Is the tree's s6-svscan alive?
  bool is_running() const;

  // Writes the service directory whole (beside it and renamed). Replaces one that is not live; throws Error if it is.
  void write(const Service& service) const;
  // Links the written services into the scan directory and waits until all are supervised and up (have been started;
  // not: are healthy). One rescan for all. Services that are live already are brought up if they are down.
  void start(const std::vector<std::string>& names, Milliseconds deadline) const;
  // Tells the service to end: its stop signal now, SIGKILL after its stop timeout, no restart, not even when its
  // s6-supervise dies. Returns at once.
  void stop(const std::string& name) const;
  // SIGKILL now, and no restart.
  void kill(const std::string& name) const;
  // Takes services that are down and not wanted up out of the tree and removes all that is left of them, no matter
  // which of their processes died before; returns the others.
  std::vector<std::string> remove(const std::vector<std::string>& names) const;

  // Services in the tree that lack an s6-supervise, or the one for their logger, at this moment. One that was killed is
  // back after a second; what lacks one for longer has been forgotten by s6-svscan.
  std::vector<std::string> unsupervised() const;
  // Makes s6-svscan start what it has forgotten; takes a moment, or none when another process is doing it. A killed
  // call leaves a service named "newcomer", which does nothing and is removed by the next.
  void start_forgotten() const;

  ServiceStatus status(const std::string& name) const;
  Liveness liveness(const std::string& name) const;
  std::vector<std::string> services() const;  // the directories that are there, live or not
  bool is_linked(const std::string& name) const;

  // Prepares run/scan/.s6-svscan and returns the argument vector that `pushrod up` becomes. On SIGTERM and SIGINT
  // s6-svscan runs own_program under that name ("…/SIGTERM") in run/scan, which is to call stop_tree().
  std::vector<std::string> prepare_scan(const std::filesystem::path& own_program) const;
  // Ends s6-supervise processes of an earlier tree whose s6-svscan is gone, with what they run: SIGTERM, then SIGKILL
  // at the deadline. Returns how many there were. Throws Error when the tree runs, or when they do not end.
  unsigned end_orphans(Milliseconds deadline) const;
  // Stops a service, and then what its process has started and what would live on without it, as sshd's connections
  // do: SIGTERM, and SIGKILL at the deadline.
  void stop_with_children(const std::string& name, Milliseconds deadline) const;
  // Stops the whole tree: the router first, which finishes the requests in flight, then all else at once. Returns when
  // s6-svscan has been told; it ends when everything has.
  void stop_tree() const;

 private:
  Layout layout_;
  std::filesystem::path programs_;
};

// The logger, which writes what it reads into the directory (which must be there), never more than log_bytes in all. It
// ends at the end of its input.
std::vector<std::string> log_arguments(const std::filesystem::path& log_directory, std::uint64_t log_bytes);

// A longer line is split by the logger: all parts but the last have exactly this size. 256 KiB, or less where log_bytes
// is small.
std::size_t longest_log_record(std::uint64_t log_bytes);

// Waits until the service's logger has written down everything that the service has printed so far, or the time is up.
void await_logged(const std::filesystem::path& service_directory, Milliseconds at_most);

// The last `most` lines that an instance wrote, oldest first, without their time stamps.
std::vector<std::string> last_log_lines(const std::filesystem::path& log_directory, std::size_t most);

}  // namespace pushrod
