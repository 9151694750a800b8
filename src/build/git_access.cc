#include "build/git_access.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "base/error.hh"
#include "base/text.hh"
#include "build/modern_yarn.hh"
#include "build/run_sandbox.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

constexpr std::size_t kLongestFile = std::size_t{64} << 20;

bool ends_address(char character) {
  return static_cast<unsigned char>(character) <= ' ' ||
         std::string_view("\"'<>,;)]}#\\`").find(character) != std::string_view::npos;
}

// "git@host:team/x.git@v1" as pip has it: a version behind the path.
std::string without_version(std::string address) {
  const auto slash = address.rfind('/');
  if (slash == std::string::npos) return address;
  if (const auto at = address.find('@', slash); at != std::string::npos) address.erase(at);
  if (const auto query = address.find('?', slash); query != std::string::npos) address.erase(query);
  return address;
}

// "https://host/path" for "ssh://git@host:22/path" and "git@host:path".
std::string over_https(const std::string& address) {
  constexpr std::string_view kScheme = "ssh://";
  auto rest = address.starts_with(kScheme) ? address.substr(kScheme.size()) : address;
  if (!address.starts_with(kScheme)) rest[rest.find(':')] = '/';
  const auto slash = rest.find('/');
  auto host = rest.substr(0, slash);
  host.erase(0, host.rfind('@') == std::string::npos ? 0 : host.rfind('@') + 1);
  host.erase(std::min(host.find(':'), host.size()));
  return "https://" + host + (slash == std::string::npos ? "" : rest.substr(slash));
}

bool is_part_of_name(char character) {
  return std::isalnum(static_cast<unsigned char>(character)) != 0 || character == '-' || character == '.' ||
         character == '_';
}

// "git@^1.85.0:" and "git@npm:^3.0.0" are packages in lock files of yarn.
bool is_package(const std::string& address) {
  constexpr std::string_view kUser = "git@";
  if (!address.starts_with(kUser)) return false;
  const auto colon = address.find(':');
  const auto host = address.substr(kUser.size(), colon - kUser.size());
  return host == "npm" || colon + 1 == address.size() || !std::all_of(host.begin(), host.end(), is_part_of_name);
}

}  // namespace

std::string git_ssh_command() {
  const std::string directory = kDeployKeyDirectory;
  return "ssh -F none -o IdentityAgent=" + directory + "/agent -o IdentityFile=" + directory +
         "/key.pub -o IdentitiesOnly=yes -o StrictHostKeyChecking=accept-new -o UserKnownHostsFile=" + directory +
         "/known_hosts -o GlobalKnownHostsFile=none -o BatchMode=yes -o ConnectTimeout=20";
}

bool is_ssh_address(const std::string& url) {
  if (url.starts_with("ssh://")) return true;
  const auto colon = url.find(':');
  return colon != std::string::npos && url.find("://") == std::string::npos && url.find('/') > colon &&
         url.find('@') < colon;
}

std::set<std::string> ssh_addresses_in(const std::string& text) {
  std::set<std::string> found;
  for (const std::string_view begin : {"ssh://", "git@"}) {
    for (auto at = text.find(begin); at != std::string::npos; at = text.find(begin, at + 1)) {
      // "ssh://git@", "simple-git@"
      if (begin == "git@" && at > 0 && (text[at - 1] == '/' || is_part_of_name(text[at - 1]))) continue;
      auto end = at;
      while (end < text.size() && !ends_address(text[end])) ++end;
      auto address = without_version(text.substr(at, end - at));
      if (is_ssh_address(address) && !is_package(address)) found.insert(std::move(address));
    }
  }
  return found;
}

std::map<std::string, std::string> ssh_addresses_in(const std::map<std::string, std::string>& files) {
  std::map<std::string, std::string> found;
  for (const auto& [name, text] : files) {
    if (is_program_of_yarn(name)) continue;
    for (const auto& address : ssh_addresses_in(text)) found.emplace(address, name);
  }
  return found;
}

std::map<std::string, std::string> dependency_files(const std::filesystem::path& directory) {
  constexpr std::array<const char*, 17> kNames{"package.json", "package-lock.json", "npm-shrinkwrap.json",
                                               "yarn.lock",    "pnpm-lock.yaml",    "requirements.txt",
                                               "uv.lock",      "poetry.lock",       "pdm.lock",
                                               "Pipfile",      "Pipfile.lock",      "pyproject.toml",
                                               "Gemfile",      "Gemfile.lock",      "composer.lock",
                                               "Cargo.lock",   "mix.lock"};
  std::map<std::string, std::string> files;
  for (const auto* name : kNames) {
    if (auto text = read_file(directory / name, kLongestFile, /*follow=*/false)) files.emplace(name, *std::move(text));
  }
  return files;
}

void check_git_access(const std::map<std::string, std::string>& files_by_address, const SandboxJob& job,
                      const std::string& hint) {
  for (const auto& [address, file] : files_by_address) {
    const auto asked = [](const std::string& url) {
      return "git -c credential.helper= ls-remote -q -- " + shell_quoted(url) + " HEAD > /dev/null";
    };
    const auto https = asked(over_https(address)) + " 2> /dev/null";
    Sandbox sandbox = sandbox_of(job, job.deploy_key.empty() ? https : https + " || " + asked(address));
    sandbox.directory = "/";
    add_deploy_key(sandbox, job);
    auto quiet = job;
    quiet.on_output = nullptr;
    try {
      run_in(sandbox, quiet, Stage::Build);
    } catch (const Cancelled&) {
      throw;
    } catch (const UserError& failure) {
      UserError error(
          fmt::format("{} asks for {}, which the build may not read", escaped(file, 200), escaped(address, 300)), hint);
      error.set_evidence(failure.evidence());
      throw error;
    }
  }
}

}  // namespace pushrod
