// Git repositories that a build fetches over SSH, as dependencies: which ones, and whether it may read them.
#pragma once

#include <map>
#include <set>
#include <string>

#include "build/builder.hh"

namespace pushrod {

// Where a build finds the ssh-agent of its app's deploy key.
inline constexpr const char* kDeployKeyDirectory = "/deploy-key";
// For git in such a build. A server that is met for the first time is believed.
std::string git_ssh_command();

bool is_ssh_address(const std::string& url);  // "ssh://git@host/path", "git@host:path"

// Addresses in the text of a manifest or lock file, without what says which version.
std::set<std::string> ssh_addresses_in(const std::string& text);
// The file that names it first, by address. `files`: their names and content.
std::map<std::string, std::string> ssh_addresses_in(const std::map<std::string, std::string>& files);
// The files in the app's directory by which package managers are told what to install.
std::map<std::string, std::string> dependency_files(const std::filesystem::path& directory);

// Asks each server, in the job's sandbox. One that anyone may read over https needs no key: npm's lock files name
// public repositories so. Throws UserError that names the file and the address that cannot be read.
void check_git_access(const std::map<std::string, std::string>& files_by_address, const SandboxJob& job,
                      const std::string& hint);

}  // namespace pushrod
