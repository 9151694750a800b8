// doctor: every outside tool and kernel feature that Pushrod uses; present or not, what is lost, how to get it.
// Floor 7. It asks the tools themselves and tries things out; nothing is concluded from a distribution's name.
#include <fmt/format.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/grammar.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
#include "os/command.hh"
#include "os/files.hh"
#include "os/pty.hh"
#include "sandbox/cgroup.hh"
#include "sandbox/limits.hh"
#include "sandbox/sandbox.hh"
#include "sandbox/walls.hh"

namespace pushrod {

namespace {

struct Finding {
  std::string name;
  bool good = false;
  bool required = true;
  std::string version;  // or what was found
  std::string lost;     // without it
  std::string remedy;
};

struct Tool {
  const char* name;
  const char* program;
  std::vector<std::string> ask;  // arguments that make it tell its version
  std::vector<unsigned> least;   // major, minor; empty: any
  bool required;
  const char* lost;
  const char* package;
};

std::vector<Tool> tools() {
  return {
      {"git", "git", {"--version"}, {2, 36}, true, "pushes", "git"},
      {"OpenSSH client tools", "ssh-keygen", {}, {}, true, "the built-in SSH server's host key", "openssh-client"},
      {"OpenSSH server", "sshd", {"-V"}, {}, false, "the built-in SSH server (up --no-ssh works)", "openssh-server"},
      {"s6", "s6-svscan", {}, {}, true, "everything: nothing can be supervised", "s6"},
      {"HAProxy", "haproxy", {"-v"}, {2, 5}, true, "everything: no request is routed", "haproxy"},
      {"bubblewrap", "bwrap", {"--version"}, {0, 8}, true, "everything: nothing can be walled off", "bubblewrap"},
      {"Python", "python3", {"--version"}, {3, 7}, false, "apps in Python", "python3 python3-venv"},
      {"Node.js", "node", {"--version"}, {}, false, "apps in JavaScript", "nodejs npm"},
      {"npm", "npm", {"--version"}, {}, false, "builds of apps in JavaScript", "npm"},
  };
}

// The first "1.2" or "1.2.3" in the text.
std::string version_in(const std::string& text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (isdigit(static_cast<unsigned char>(text[i])) == 0) continue;
    auto end = text.find_first_not_of("0123456789.", i);
    if (end == std::string::npos) end = text.size();
    const auto word = text.substr(i, end - i);
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
  const auto program = find_program(tool.program);
  if (!program) {
    finding.version = "not found";
    return finding;
  }
  finding.version = program->string();
  if (!tool.ask.empty()) {
    Command command;
    command.argv = {program->string()};
    command.argv.insert(command.argv.end(), tool.ask.begin(), tool.ask.end());
    command.merge_output = true;
    const auto answer = run(command);
    if (const auto version = version_in(answer.out); !version.empty()) finding.version = version;
  }
  finding.good = tool.least.empty() || is_at_least(finding.version, tool.least);
  if (!finding.good) {
    finding.version += fmt::format(" (older than {}.{})", tool.least[0], tool.least[1]);
    finding.remedy = fmt::format("a newer release of the system, or of {}", tool.package);
  }
  return finding;
}

Finding examine_sandbox() {
  const auto missing = probe_sandbox();
  return {"sandboxes", missing.empty(), true, missing.empty() ? "work" : missing, "everything: no build, no app",
          missing};
}

Finding describe(const Wall& wall, bool required) {
  return {wall.name, wall.stands, required, wall.found, wall.lost, wall.remedy};
}

// Whether the tree has a subtree of cgroups; where it does not run, whether a tree started from here would get one.
Finding examine_cgroups(const std::filesystem::path& root) {
  Finding finding{"cgroup limits",
                  false,
                  false,
                  "",
                  "cpu limits; memory is limited per process only, not per instance",
                  "run the tree under systemd with Delegate=yes (docs/install.md)"};
  const auto group = Cgroups::own_group();
  if (const auto ours = Cgroups::recorded(Layout(root).cgroup())) {
    finding.version = fmt::format("{}: {}", ours->subtree().string(), join(ours->controllers(), ", "));
    finding.good = true;
  } else if (group.empty()) {
    finding.version = "no cgroup v2 hierarchy at /sys/fs/cgroup";
  } else if (access((group / "cgroup.procs").c_str(), W_OK) != 0) {
    finding.version = "not delegated to this user";
  } else {
    const auto there = read_file(group / "cgroup.controllers").value_or("");
    finding.version = "delegated with " + (trim(there).empty() ? "no controllers" : std::string(trim(there)));
    finding.good = there.find("memory") != std::string::npos && there.find("pids") != std::string::npos;
  }
  return finding;
}

Finding examine_process_limits() {
  const bool good = rlimits_here().count_processes_per_sandbox;
  return {"process limits",
          good,
          false,
          good ? "counted per sandbox" : "counted per user",
          "limits of processes, where there are no cgroups",
          "Linux 5.14 or newer"};
}

// sshd gives a terminal to the group tty. Unprivileged, it can do so only where it is the group's from its birth.
Finding examine_terminals() {
  const auto pair = make_pseudo_terminal(STDIN_FILENO);
  struct stat status = {};
  const auto* tty = getgrnam("tty");
  const bool good = fstat(pair.theirs.get(), &status) == 0 && (tty == nullptr || status.st_gid == tty->gr_gid);
  return {"terminals for ssh -t",
          good,
          false,
          good ? "of the group tty" : "not of the group tty",
          "`shell`, and `run` at a terminal, over the built-in SSH server",
          "as root: mount -o remount,gid=tty,mode=620 /dev/pts"};
}

Finding examine_disk(const std::filesystem::path& root) {
  constexpr std::uint64_t kLittle = 1u << 30;
  const auto free = free_bytes(root);
  return {"free disk",
          free >= kLittle,
          false,
          format_bytes(free),
          "room for checkouts and builds",
          "make room on the file system of " + root.string()};
}

int doctor(const std::filesystem::path& root, bool json) {
  std::vector<Finding> findings;
  for (const auto& tool : tools()) findings.push_back(examine(tool));
  findings.push_back(examine_sandbox());
  // Without seccomp nothing starts; what older kernels lack of the others is told, and left out.
  const auto walls = examine_walls();
  for (const auto& wall : walls) findings.push_back(describe(wall, &wall == &walls.front()));
  findings.push_back(examine_cgroups(root));
  findings.push_back(examine_process_limits());
  findings.push_back(examine_terminals());
  findings.push_back(examine_disk(root));

  bool healthy = true;
  auto list = Json::array();
  Table table({"", "WHAT", "FOUND", "WITHOUT IT", "HOW TO GET IT"});
  for (const auto& finding : findings) {
    healthy = healthy && (finding.good || !finding.required);
    list.push_back({{"name", finding.name},
                    {"good", finding.good},
                    {"required", finding.required},
                    {"found", finding.version},
                    {"lost", finding.good ? "" : finding.lost},
                    {"remedy", finding.good ? "" : finding.remedy}});
    table.add({finding.good       ? "ok"
               : finding.required ? "MISSING"
                                  : "absent",
               finding.name, finding.version, finding.good ? "" : finding.lost, finding.good ? "" : finding.remedy});
  }
  if (json) {
    print_json(list);
  } else {
    print(table.str());
    print(healthy ? "Pushrod can run here.\n" : "Pushrod cannot run here yet.\n");
  }
  return healthy ? kExitOk : kExitRequest;
}

}  // namespace

void add_doctor_verb(Grammar& grammar) {
  const auto json = std::make_shared<bool>(false);
  grammar
      .verb("doctor", "what this machine has and lacks",
            [json](Context& context) {
              context.require_admin();
              return doctor(context.layout().root(), *json);
            })
      .json(*json);
}

}  // namespace pushrod
