// What there is: apps and repos, and how each app is now. Needs the right to see an app; others are left out of lists.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "deploy/condition.hh"
#include "operate/backup_state.hh"
#include "operate/deployments.hh"
#include "operate/domains.hh"
#include "operate/json.hh"
#include "operate/services.hh"
#include "os/disk_use.hh"

namespace pushrod {

struct AppLine {
  App app;
  std::string state;       // as AppCondition::state, or "deploying"
  std::string traffic;     // as AppCondition::traffic
  unsigned instances = 0;  // those that are to serve
  unsigned running = 0;
  std::string url;
};
Json to_json(const AppLine& line);
std::vector<AppLine> list_apps(Session& session);  // by name

struct AppInfo {
  App app;
  std::string url;
  std::vector<DomainView> domains;  // beside its own address
  std::string warning;              // of the certificate of its own address
  std::string push_url;             // for git push
  AppCondition condition;
  std::optional<Release> release;        // the live one
  std::optional<DeploymentView> last;    // its newest deployment
  std::optional<ReleaseNumber> watched;  // the release that a watched one falls back to (model/watch.hh)
  std::string fallback;                  // what happened, if the live release is the result of a fallback
  std::string stop_reason;               // why it is stopped; empty when an operator gave none
  BackupState backup;
  DiskUse data;                          // of its /data
  std::vector<ServiceView> services;     // that it is attached to
  std::vector<ReleaseNumber> snapshots;  // releases of whose end there is one
  DiskUse snapshot_use;
};
Json to_json(const AppInfo& info);
AppInfo app_info(Session& session, const AppName& app);

struct AppCheck {
  App app;
  AppCondition condition;
  std::string fallback;  // as above
};
Json to_json(const AppCheck& check);
AppCheck check_app(Session& session, const AppName& app);

struct RepoLine {
  RepoName repo;
  std::string push_url;
  std::map<std::string, std::vector<std::string>> branches;  // the names of the apps that run from each
};
Json to_json(const RepoLine& line);
std::vector<RepoLine> list_repos(Session& session);

// "ssh://deploy@example.org:2222/shop"
std::string push_url_of(const Settings& settings, const RepoName& repo);

}  // namespace pushrod
