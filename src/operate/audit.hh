// The audit: who changes what, when and from where. Every function of this room that changes something records it; so
// does a push.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "model/audit.hh"
#include "operate/json.hh"
#include "operate/session.hh"

namespace pushrod {

struct AuditedChange {
  std::string app;     // empty: the machine
  std::string action;  // the verb: "restart", "key add"
  std::string detail;  // what of it; never a setting's value
};

// Records the change before it begins, makes it, and records its outcome: done, or failed with the message of what it
// throws. A record without an outcome is that of a process that is still at work, or was killed.
void audited(Session& session, const AuditedChange& what, const std::function<void()>& change);

// For a change that tells its outcome in another way: "done", or why not.
using AuditRecords = std::vector<std::int64_t>;
AuditRecords begin_audit(Session& session, const std::vector<AuditedChange>& parts);
void end_audit(Session& session, const AuditRecords& records, const std::string& outcome);
// Returns the outcome; of several apps, with a record for each.
void audited(Session& session, const std::vector<AuditedChange>& parts, const std::function<std::string()>& change);
inline constexpr const char* kDone = "done";

// The latest entries, newest first: of one app by its name, or of all (empty). An administrator sees every entry;
// others see those of apps that they may see, from the time on when these were created. Throws UserError for an app
// without entries that the caller may not see.
std::vector<AuditEntry> audit_entries(Session& session, const std::string& app, unsigned most);

Json to_json(const AuditEntry& entry);

}  // namespace pushrod
