#include "ssh/agent.hh"

#include <fmt/format.h>

#include "base/error.hh"
#include "base/text.hh"
#include "os/clock.hh"
#include "os/files.hh"

namespace pushrod {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kLongestKey = 64 << 10;
constexpr Milliseconds kStart{10'000};
constexpr int kPause = 5;    // ms
constexpr int kNoAgent = 2;  // ssh-add's exit code when it does not reach one: it does not listen yet

// Debian's ssh-agent is setgid, and such a program would not end with its parent.
ChildProcess start_agent(const fs::path& directory) {
  remove_tree(directory);
  make_directory(directory);
  Command command;
  command.argv = {"setpriv", "--no-new-privs", "ssh-agent", "-D", "-a", "agent"};
  command.directory = directory;  // the path of a socket may have 107 bytes at most
  return ChildProcess::start(command, -1, -1, -1);
}

std::string read_made(const fs::path& path) {
  auto text = read_file(path, kLongestKey, /*follow=*/false);
  if (!text || text->empty()) throw Error(fmt::format("ssh-keygen left no {}", quoted(path.native())));
  return *std::move(text);
}

}  // namespace

KeyPair make_key_pair(const fs::path& directory, const std::string& comment) {
  remove_tree(directory);
  make_directory(directory);
  Command command;
  command.argv = {"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", (directory / "key").native()};
  run_checked(command);
  KeyPair pair{std::string(trim(read_made(directory / "key.pub"))), Secret(read_made(directory / "key"))};
  remove_tree(directory);
  return pair;
}

SshAgent::SshAgent(fs::path directory, const Secret& private_key)
    : directory_(std::move(directory)), agent_(start_agent(directory_)) {
  Command command;
  command.argv = {"ssh-add", "-q", "-"};
  command.directory = directory_;
  command.environment["SSH_AUTH_SOCK"] = "agent";
  command.input = private_key.reveal();
  const Stopwatch watch;
  while (true) {
    const auto result = run(command);
    if (result.ok()) return;
    if (result.code != kNoAgent || watch.elapsed() > kStart) {
      Error error("the deploy key could not be given to ssh-agent: ssh-add ended with " + result.describe());
      error.set_evidence(lines_of(result.err));
      throw error;
    }
    if (const auto end = agent_.wait(Milliseconds{kPause})) {
      throw Error("ssh-agent did not start: " + end->describe(), "install it: apt-get install openssh-client");
    }
  }
}

SshAgent::~SshAgent() {
  try {
    agent_.kill_group();
    remove_tree(directory_);
  } catch (const Error&) {
    // The next build of the app removes it.
  }
}

}  // namespace pushrod
