// The outside tools that Pushrod uses.
#include "tree/tools.hh"

#include <fmt/format.h>

#include <cctype>
#include <string_view>

#include "base/error.hh"
#include "base/text.hh"
#include "os/command.hh"

namespace pushrod {

namespace {

struct Tool {
  const char* name;
  const char* program;
  std::vector<std::string> ask;  // arguments that make it tell its version
  std::vector<unsigned> least;   // major, minor; empty: any
  bool required;
  const char* lost;
  const char* package;
  std::string_view sign_of_age{};  // what one that is older answers, where none tells its version
};

// The one place in the code that names the versions Pushrod needs; the table in docs/install.md names the same ones,
// and a test compares them.
std::vector<Tool> tools() {
  return {
      {"git", "git", {"--version"}, {2, 36}, true, "pushes", "git"},
      {"OpenSSH client tools", "ssh-keygen", {}, {}, true, "the built-in SSH server's host key", "openssh-client"},
      {"OpenSSH server",
       "sshd",
       {"-V"},
       {9, 0},
       false,
       "the built-in SSH server (up --no-ssh works)",
       "openssh-server"},
      // With this option it did not hand signals over to programs unless it was told to.
      {"s6", "s6-svscan", {"-h"}, {2, 11}, true, "everything: nothing can be supervised", "s6", "[ -S | -s ]"},
      {"HAProxy", "haproxy", {"-v"}, {2, 5}, true, "everything: no request is routed", "haproxy"},
      {"bubblewrap", "bwrap", {"--version"}, {0, 8}, true, "everything: nothing can be walled off", "bubblewrap"},
      {"Python", "python3", {"--version"}, {3, 7}, false, "apps in Python", "python3 python3-venv"},
      {"Node.js", "node", {"--version"}, {}, false, "apps in JavaScript", "nodejs npm"},
      {"nginx", "nginx", {"-v"}, {}, false, "static files and apps in PHP", "nginx-light"},
      {"curl", "curl", {"--version"}, {}, false, "domain check does not see what answers at port 80", "curl"},
      {"restic", "restic", {"version"}, {0, 14}, false, "backups", "restic"},
      {"socat", "socat", {"-V"}, {1, 7}, false, "service attach --tcp and the console of Memcached", "socat"},
      {"lego", "lego", {}, {}, false, "certificates that Pushrod obtains itself ([acme])", "lego"},
      {"npm", "npm", {"--version"}, {}, false, "builds of apps in JavaScript", "npm"},
  };
}

// The first "1.2" or "1.2.3" in the text.
std::string version_in(const std::string& text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (isdigit(static_cast<unsigned char>(text[i])) == 0) continue;
    auto end = text.find_first_not_of("0123456789.", i);
    if (end == std::string::npos) end = text.size();
    auto word = text.substr(i, end - i);
    if (word.find('.') != std::string::npos) return word;
    i = end;
  }
  return {};
}

bool is_at_least(const std::string& version, const std::vector<unsigned>& least) {
  const auto parts = split(version, '.');
  for (std::size_t i = 0; i < least.size(); ++i) {
    const auto part = i < parts.size() ? parse_unsigned(parts[i]).value_or(0) : 0;
    if (part != least[i]) return part > least[i];
  }
  return true;
}

Finding examine(const Tool& tool) {
  Finding finding{tool.name, false, tool.required, "", tool.lost, fmt::format("apt install {}", tool.package)};
  if (!tool.least.empty()) finding.least = fmt::format("{}.{}", tool.least[0], tool.least[1]);
  const auto program = find_program(tool.program);
  if (!program) {
    finding.found = "not found";
    return finding;
  }
  finding.found = program->string();
  bool is_old = false;
  if (!tool.ask.empty()) {
    Command command;
    command.argv = {program->string()};
    command.argv.insert(command.argv.end(), tool.ask.begin(), tool.ask.end());
    command.merge_output = true;
    const auto answer = run(command).out;
    if (const auto version = version_in(answer); !version.empty()) finding.found = version;
    is_old = tool.sign_of_age.empty() ? !is_at_least(finding.found, tool.least)
                                      : answer.find(tool.sign_of_age) != std::string::npos;
  }
  finding.good = !is_old;
  if (is_old) {
    finding.found += fmt::format(" ({} is needed)", finding.least);
    finding.remedy = fmt::format("a newer release of the system, or of {}", tool.package);
  }
  return finding;
}

}  // namespace

std::vector<Finding> examine_tools() {
  std::vector<Finding> findings;
  for (const auto& tool : tools()) findings.push_back(examine(tool));
  return findings;
}

void require_tools() {
  std::vector<std::string> problems, remedies;
  for (const auto& tool : tools()) {
    if (!tool.required) continue;
    const auto finding = examine(tool);
    if (finding.good) continue;
    problems.push_back(fmt::format("{}: {}", finding.name, finding.found));
    remedies.push_back(finding.remedy);
  }
  if (problems.empty()) return;
  throw UserError("Pushrod cannot run here: " + join(problems, "; "),
                  join(remedies, "; ") + "; run `pushrod doctor` for details");
}

}  // namespace pushrod
