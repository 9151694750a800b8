// The commands, one function each: what a person calls, here or over SSH.
// Floor 7. Each prints to standard output and returns the exit code; what is wrong is thrown.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/context.hh"

namespace pushrod {

// app.cc
int app_create(Context& context, const std::string& name, std::string repo, const std::string& branch,
               const std::string& path);
int app_list(Context& context, bool json);
int app_info(Context& context, const std::string& name, bool json);
int app_destroy(Context& context, const std::string& name, bool yes);
int repo_list(Context& context, bool json);

// key.cc
int key_add(Context& context, const std::string& name, const std::string& file, const std::vector<std::string>& apps);
int key_list(Context& context, bool json);
int key_remove(Context& context, const std::string& name);

// ps.cc
int show_processes(Context& context, const std::string& app, bool json);

// deployments.cc
int deployments(Context& context, const std::string& app, unsigned most, bool json);
int deployment(Context& context, const std::string& app, ReleaseNumber number, bool json);
int restart(Context& context, const std::string& app);
int redeploy(Context& context, const std::string& app);
int cancel(Context& context, const std::string& app);

// logs.cc
struct LogsRequest {
  std::string app;
  bool follow = false;
  unsigned lines = 100;
  std::string process;                      // "web", "web.2"; empty: all
  std::optional<ReleaseNumber> deployment;  // instead of the instances' output
  bool json = false;
};
int logs(Context& context, const LogsRequest& request);

// up.cc
struct UpRequest {
  std::string http, ssh;  // listen addresses; empty: as server.toml says
  bool no_ssh = false;
};
int up(Context& context, const UpRequest& request);
// Before the root is touched: gives up root's rights for that user's, or throws UserError when running as root.
void become_user(const std::string& user);

// doctor.cc
int doctor(const std::filesystem::path& root, bool json);

}  // namespace pushrod
