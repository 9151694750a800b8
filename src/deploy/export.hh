// The archive of an app: what is in it, put together for archive/tar.hh to write.
#pragma once

#include "archive/tar.hh"
#include "deploy/platform.hh"
#include "model/archived_app.hh"

namespace pushrod {

struct ExportParts {
  bool data = true;  // /data, and what is in databases
  bool settings = true;
  bool domains = true;  // with their certificates
  bool crons = true;    // how far their clocks were followed
};

struct PreparedExport {
  ArchivedApp app;
  PackList list;
  std::vector<std::string> notes;  // for people, a line each
};

// Gathers everything but /data in the transfer; a deployment of the app in progress ends first. /data is read when the
// stream is written, but for SQLite's files in it, which are copied now, as databases in services are dumped.
PreparedExport prepare_export(const Platform& platform, const Transfer& transfer, const AppName& name,
                              const ExportParts& parts);

}  // namespace pushrod
