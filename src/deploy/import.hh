// An app that comes from an archive: all of it, or nothing.
//
//   begin_import()   rows, repo and data in place; the app runs nothing and is not deployed
//                    then its services with their data (deploy/app_databases.hh)
//   a deployment     of its branch, as any other: its commit is the commit point
//   end_import()     settles what became of it
//
// A row of `imports` says what there may be of it. Its process lives as long as the archive's transfer. What a killed
// one has left is settled by settle_imports(): the app is there, if its deployment was committed; otherwise all of it
// is removed.
#pragma once

#include <map>
#include <vector>

#include "archive/transfer.hh"
#include "base/secret.hh"
#include "certificates/pem.hh"
#include "deploy/change.hh"
#include "deploy/platform.hh"
#include "model/archived_app.hh"

namespace pushrod {

// What was read of an archive, checked.
struct ReadArchive {
  ArchivedApp app;
  std::map<SettingName, Secret> settings;
  std::vector<std::pair<PemPair, Certificate>> certificates;
};

// Reads what a transfer has been filled with (archive/tar.hh). Throws UserError for what is missing or damaged.
ReadArchive read_archive(const Transfer& transfer);

// Checks all of it, without importing it: the repository, each SQLite database, and each dump, which is read into a
// server of its own. Returns how many of these it has.
struct VerifiedArchive {
  std::size_t sqlite = 0, dumps = 0;
};
VerifiedArchive verify_archive(const Platform& platform, const Transfer& transfer);

// The archive's commit, settings, /data and databases as a change to an app that is there. Its commit is in the app's
// repo then. verify_archive() comes before. Throws UserError when another app runs from the branch, and it would have
// to move.
void add_archive(const Platform& platform, const Transfer& transfer, const App& app, Change& change);

// Of the app, whose databases the change leaves as they are.
std::vector<BackingService> services_without_backup(const Platform& platform, const App& app, const Change& change);

struct BegunImport {
  App app;
  std::vector<HostName> kept_certificates;  // of hosts that have one here: that one stays
};

// Makes the archive the app of this name, in this repo. A repo that other apps use gets the branch, unless it has it at
// the same commit. Throws UserError when the app exists, when the repo has other content, or when another app has one
// of its domains.
BegunImport begin_import(const Platform& platform, const Transfer& transfer, const ReadArchive& archive,
                         const AppName& name, const RepoName& repo);

// True when the app of the transfer is there: it is live, or was not `to_deploy`. Otherwise nothing of it is.
bool end_import(const Platform& platform, const Transfer& transfer, bool to_deploy);

void settle_imports(const Platform& platform);

}  // namespace pushrod
