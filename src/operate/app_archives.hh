// Whole apps as streams: export, import, clone.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "deploy/export.hh"
#include "deploy/import.hh"
#include "operate/change.hh"

namespace pushrod {

// Writes the archive of the app to `out`. Needs the right to administer it: the archive has the values of its settings
// and the keys of its certificates. Returns notes for people, a line each. Throws when `out` cannot be written.
std::vector<std::string> export_app(Session& session, const AppName& app, const ExportParts& parts, int out);

// Before an archive is read: Pushrod runs, and what killed imports have left is gone.
void begin_to_read(Session& session);

struct ImportOptions {
  std::optional<AppName> name{};  // absent: the archive's
  bool domains = true;
};
struct ImportedApp {
  App app;
  std::string url, push_url;
  std::vector<std::string> notes;
};
// For administrators of the machine. Reads an archive from `in` and deploys the app; what happens is told in the
// journal. Throws UserError when nothing of it is there afterwards.
ImportedApp import_app(Session& session, const ImportOptions& options, int in, Journal& journal, int cancel_fd);

// The same from a transfer that `fill` fills: what import and the restoring of backups share. `keep_repo`: the repo
// gets the name that it had, not the app's.
ImportedApp import_from(Session& session, const std::optional<AppName>& name, bool keep_repo,
                        const std::function<void(const Transfer&)>& fill, bool domains, const AuditedChange& what,
                        Journal& journal, int cancel_fd);

// The same from one app to another, without domains; the copy gets a repo of its own.
ImportedApp clone_app(Session& session, const AppName& app, const AppName& to, bool with_data, Journal& journal,
                      int cancel_fd);

}  // namespace pushrod
