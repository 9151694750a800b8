// What the shim's roles share: its few constants, complaining, and becoming a program.
// Used inside shim/ only. No heap, no stdio, no exceptions: see README.md.
#pragma once

#include <signal.h>
#include <stdint.h>

#include "shim/walls.hh"

namespace shim {

// Descriptors that keeper and init have in common.
constexpr int kLockFd = 3;
constexpr int kInitSocketFd = 4;
// The keeper's end of the pipe that an instance prints into; supervise/ looks whether it is empty.
constexpr int kOutputFd = 6;

// Messages between keeper and init: the keeper sends kGo and signal numbers, init sends kReady and then a wait status.
constexpr int kGo = 0;
constexpr int kReady = -1;

constexpr int kPassedOn[] = {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2};
constexpr bool is_stop(int number) { return number == SIGTERM || number == SIGINT || number == SIGQUIT; }

// "pushrod-shim: open ./spec: No such file or directory" on standard error.
void complain(const char* doing, const char* what, const char* why);
// The same with errno's text, then exit code 111.
[[noreturn]] void fail(const char* doing, const char* what);

// Writes the digits and returns the place after them; there is no NUL.
char* write_number(char* to, uint64_t number);

// Moves this process into the cgroup whose cgroup.procs this is.
void join_cgroup(const char* procs);

uint64_t milliseconds_now();  // CLOCK_MONOTONIC

// Makes the directories that HOME and XDG_RUNTIME_DIR name, with what lies above them, where that can be done. Inside
// the sandbox only: a path may lead through what the app has written.
void make_own_directories();

void reset_signals();
void drop_capabilities();   // unless this is root
void clear_capabilities();  // also as root
// argv[0] without a slash is looked for in the system's directories.
[[noreturn]] void become(char** argv, char** environment);
// The app's own command, in its environment: argv[0] without a slash is looked for in PATH. When it cannot be run, says
// so and ends as a shell does: 127 when there is no such program, else 126.
[[noreturn]] void become_command(char** argv);

struct Spec {
  bool sandbox = false;
  bool keep_listeners = false;
  bool keep_stderr = false;
  bool keep_stdin = false;
  bool gather = false;
  int second_stop = 0;             // a signal, when a stop has taken so long
  uint64_t second_stop_after = 0;  // milliseconds
  const char* lock = nullptr;
  const char* cgroup = nullptr;
  char** argv = nullptr;
  char** environment = nullptr;
  void* mapping = nullptr;  // all of the above: the file's content, then the two vectors
  size_t mapped = 0;
};
// Reads ./spec or ends with 100 (it is not one) or 111.
Spec read_spec();

// Takes the words "writable=PATH", "layer=PATH" and "changes=PATH", in order, and mounts what they ask for. Ends the
// process with 111 where that cannot be done.
void take_mounts(char**& words);

// Puts a process before this one's standard input that passes it on at most every 20 ms, and ends when this one does.
void gather_input();

// The roles.
[[noreturn]] void keep(const Spec& spec);
[[noreturn]] void be_init(char** argv, const Walls& walls);
// `starter`: a pidfd, or -1.
[[noreturn]] void run_for(int starter, char** argv, const Walls& walls);

}  // namespace shim
