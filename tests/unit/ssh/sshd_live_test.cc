// The real sshd with our files, asked by the real ssh, as the user who runs the tests (root or not).
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>

#include "base/text.hh"
#include "fixtures.hh"
#include "os/files.hh"
#include "os/socket.hh"
#include "ssh/public_key.hh"
#include "ssh/sshd.hh"

namespace pushrod {
namespace {

using namespace std::chrono_literals;

Port free_port() {
  const UniqueFd socket_fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  if (bind(socket_fd.get(), reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      getsockname(socket_fd.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    throw_errno("cannot find a free port");
  }
  return ntohs(address.sin_port);
}

// Reads until the text has come. Throws when the writer ends, or after twenty seconds.
void wait_for_text(int fd, const std::string& expected) {
  std::string text;
  const Deadline deadline(20s);
  while (text.find(expected) == std::string::npos) {
    pollfd readable{fd, POLLIN, 0};
    char chunk[4096];
    ssize_t got = 0;
    if (poll(&readable, 1, static_cast<int>(deadline.left().count())) > 0) got = read(fd, chunk, sizeof chunk);
    if (got <= 0) throw Error("waited in vain for " + quoted(expected) + ", got " + quoted(text));
    text.append(chunk, static_cast<std::size_t>(got));
  }
}

// sshd wants its empty directory only when it is root.
class PrivilegeSeparationDirectory {
 public:
  PrivilegeSeparationDirectory() : made_(geteuid() == 0 && mkdir("/run/sshd", 0755) == 0) {}
  ~PrivilegeSeparationDirectory() {
    if (made_) rmdir("/run/sshd");
  }
  PrivilegeSeparationDirectory(const PrivilegeSeparationDirectory&) = delete;
  PrivilegeSeparationDirectory& operator=(const PrivilegeSeparationDirectory&) = delete;

 private:
  bool made_;
};

struct Login {
  std::string identity = "anna";  // which of the made keys
  std::string account = account_name();
  std::string agent = {};  // a running agent's socket
};

// One server for all tests of the suite. Its paths hold everything that a path may.
class Server {
 public:
  Server() : layout_(directory_.path() / "it's 100%h $HOME; #é") {
    const fs::path program = directory_.path() / "a 'b' $(c)" / "pushrod";
    make_directory(program.parent_path());
    // It says what the gate would see.
    write_file(program,
               "#!/bin/sh\n"
               "for word; do echo \"word=$word\"; done\n"
               "echo \"original=$SSH_ORIGINAL_COMMAND\"\n"
               "echo \"protocol=$GIT_PROTOCOL\" \"foo=$FOO\" \"agent=$SSH_AUTH_SOCK\" \"display=$DISPLAY\"\n"
               "if test -t 0 || test -t 1; then echo terminal; fi\n",
               0700);
    make_key(directory_.path() / "anna", {"-t", "ed25519"});
    make_key(directory_.path() / "stranger", {"-t", "ed25519"});
    const PublicKey anna = parse_public_key(content_of(directory_.path() / "anna.pub"));
    Key key{
        .id = 7, .name = KeyName::parse("anna"), .public_key = anna.text, .fingerprint = {}, .apps = {}, .created = {}};
    write_authorized_keys(layout_, {key}, program);
    ensure_host_key(layout_);
    make_directory(layout_.sshd());
    write_file(sshd_config_file(layout_), render_sshd_config(layout_, {"127.0.0.1", port_}));
    write_file(directory_.path() / "known_hosts",
               fmt::format("[127.0.0.1]:{} {}", port_, content_of(host_key_file(layout_).native() + ".pub")));
    start();
  }

  const Layout& layout() const { return layout_; }
  const fs::path& directory() const { return directory_.path(); }

  CommandResult ssh(const std::vector<std::string>& options, const std::vector<std::string>& words,
                    const Login& login = {}) const {
    Command client;
    client.argv = {"ssh", "-F", "/dev/null", "-p", std::to_string(port_), "-i", directory_.path() / login.identity};
    for (const std::string option : {"BatchMode=yes", "IdentitiesOnly=yes", "ConnectTimeout=20",
                                     "StrictHostKeyChecking=yes", "GlobalKnownHostsFile=/dev/null"}) {
      client.argv.insert(client.argv.end(), {"-o", option});
    }
    client.argv.insert(client.argv.end(), {"-o", "UserKnownHostsFile=" + (directory_.path() / "known_hosts").native()});
    client.argv.insert(client.argv.end(), options.begin(), options.end());
    client.argv.push_back(login.account + "@127.0.0.1");
    client.argv.insert(client.argv.end(), words.begin(), words.end());
    client.environment["DISPLAY"] = ":77";
    if (!login.agent.empty()) client.environment["SSH_AUTH_SOCK"] = login.agent;
    client.deadline = 30s;
    return run(client);
  }

 private:
  void start() {
    Pipe log = make_pipe();
    child_ = std::make_unique<ChildProcess>(ChildProcess::start(sshd_command(layout_), -1, -1, log.write_end.get()));
    log.write_end.reset();
    log_ = std::move(log.read_end);
    wait_for_text(log_.get(), "Server listening on 127.0.0.1");
  }

  PrivilegeSeparationDirectory separation_;
  SshDirectory directory_;
  Layout layout_;
  Port port_ = free_port();
  UniqueFd log_;  // held open: sshd would die of a closed pipe
  std::unique_ptr<ChildProcess> child_;
};

class LiveSshd : public testing::Test {
 protected:
  static void SetUpTestSuite() { server_ = std::make_unique<Server>(); }
  static void TearDownTestSuite() { server_.reset(); }
  static inline std::unique_ptr<Server> server_;

  // What the gate prints when nothing was granted beyond the command itself.
  static std::string gate_output(const std::string& original) {
    return fmt::format(
        "word=--root\nword={}\nword=gate\nword=--key\nword=7\noriginal={}\nprotocol= foo= agent= display=\n",
        server_->layout().root().native(), original);
  }
};

TEST_F(LiveSshd, AKnownKeyRunsTheGateWithTheOriginalCommand) {
  const std::string command = "git-receive-pack '/blog' ; $(id) \"x\"";
  const CommandResult result = server_->ssh({}, {command});
  EXPECT_TRUE(result.ok()) << result.err;
  EXPECT_EQ(result.out, gate_output(command)) << result.err;
}

TEST_F(LiveSshd, NoCommandRunsTheGateToo) {
  const CommandResult result = server_->ssh({}, {});
  EXPECT_EQ(result.out, gate_output("")) << result.err;
}

TEST_F(LiveSshd, AnUnknownKeyIsRefused) {
  const CommandResult result = server_->ssh({}, {"app", "list"}, {.identity = "stranger"});
  EXPECT_EQ(result.code, 255);
  EXPECT_NE(result.err.find("Permission denied (publickey)"), std::string::npos) << result.err;
}

TEST_F(LiveSshd, AnotherAccountIsRefused) {
  const CommandResult result = server_->ssh({}, {"app", "list"}, {.account = "nobody"});
  EXPECT_EQ(result.code, 255);
  EXPECT_NE(result.err.find("Permission denied (publickey)"), std::string::npos) << result.err;
}

TEST_F(LiveSshd, GitsProtocolVersionArrivesAndNoOtherVariable) {
  const CommandResult result = server_->ssh({"-o", "SetEnv=FOO=bar GIT_PROTOCOL=version=2"}, {"app"});
  EXPECT_NE(result.out.find("\nprotocol=version=2 foo= "), std::string::npos) << result.out << result.err;
}

TEST_F(LiveSshd, ConnectionsAreNotForwarded) {
  // -L and -D open the same kind of channel as -W does.
  const CommandResult local = server_->ssh({"-W", "127.0.0.1:9"}, {});
  EXPECT_FALSE(local.ok());
  EXPECT_NE(local.err.find("administratively prohibited"), std::string::npos) << local.err;
  const CommandResult remote = server_->ssh({"-o", "ExitOnForwardFailure=yes", "-R", "0:127.0.0.1:9"}, {"app"});
  EXPECT_FALSE(remote.ok());
  EXPECT_NE(remote.err.find("remote port forwarding failed"), std::string::npos) << remote.err;
  const std::string socket_path = server_->directory() / "forwarded";
  const CommandResult remote_socket =
      server_->ssh({"-o", "ExitOnForwardFailure=yes", "-R", socket_path + ":127.0.0.1:9"}, {"app"});
  EXPECT_FALSE(remote_socket.ok());
  EXPECT_FALSE(fs::exists(socket_path));
}

TEST_F(LiveSshd, AgentsAndDisplaysAreNotForwarded) {
  const fs::path agent_socket = server_->directory() / "agent";
  Command agent;
  agent.argv = {"ssh-agent", "-D", "-a", agent_socket};
  Pipe agent_output = make_pipe();
  const ChildProcess running_agent = ChildProcess::start(agent, -1, agent_output.write_end.get(), -1);
  agent_output.write_end.reset();
  wait_for_text(agent_output.read_end.get(), "SSH_AUTH_SOCK=");
  const CommandResult with_agent = server_->ssh({"-v", "-A"}, {"app"}, {.agent = agent_socket});
  EXPECT_NE(with_agent.err.find("Requesting authentication agent forwarding"), std::string::npos) << with_agent.err;
  EXPECT_EQ(with_agent.out, gate_output("app"));
  const CommandResult with_display = server_->ssh({"-Y"}, {"app"});
  EXPECT_NE(with_display.err.find("X11 forwarding request failed"), std::string::npos) << with_display.err;
  EXPECT_EQ(with_display.out, gate_output("app"));
}

TEST_F(LiveSshd, ThereIsNoSftp) {
  const CommandResult result = server_->ssh({"-s"}, {"sftp"});
  EXPECT_FALSE(result.ok());
  EXPECT_NE(result.err.find("subsystem request failed"), std::string::npos) << result.err;
}

}  // namespace
}  // namespace pushrod
