// The audit: who changed what, when, from where, and how it ended. It outlives the apps and keys that it names.
// Plain values.
#pragma once

#include <cstdint>
#include <string>

#include "os/clock.hh"

namespace pushrod {

struct AuditEntry {
  std::int64_t id = 0;
  WallTime at;
  std::string who;          // name of the key, or "local:<user>"
  std::string fingerprint;  // of the key; empty: no key
  std::string address;      // of the other side of the connection; "local" on this machine
  std::string app;          // empty: what concerns the machine
  std::string action;       // "push", "app destroy"
  std::string detail;       // "main 5fd4be3d65..3f2a1b9c4d"; never a setting's value
  std::string outcome;      // "done", or why not; empty: it goes on, or was killed
};

}  // namespace pushrod
