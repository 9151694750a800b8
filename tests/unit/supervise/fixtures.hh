// A supervision tree of its own for a test: real s6, real bwrap, in a temporary root directory.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <thread>

#include "../eventually.hh"
#include "base/text.hh"
#include "os/command.hh"
#include "os/files.hh"
#include "supervise/s6_state.hh"
#include "supervise/supervise.hh"

namespace pushrod {

using namespace std::string_literals;

constexpr Milliseconds kPatience{20'000};

class Tree : public testing::Test {
 protected:
  Tree() : layout_(make_root()), supervisor_(layout_, own_program().parent_path()) {
    // What a killed supervisor leaves behind becomes our child, and is reaped here.
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    make_directory(layout_.scan());
    make_directory(layout_.services());
    make_directory(layout_.locks());
    make_directory(layout_.root() / "shared");
  }
  ~Tree() override {
    kill_tree();
    supervisor_.end_orphans(Milliseconds{0});
    remove_tree(layout_.root());
  }

  // The handlers of a real tree run pushrod; here nothing handles SIGTERM, and s6-svscan does what it does by itself.
  void start_tree() {
    Command command;
    command.argv = supervisor_.prepare_scan("/nonexistent/pushrod");
    command.die_with_parent = false;
    tree_.emplace(ChildProcess::start(command, -1, -1, 2));
    ASSERT_TRUE(eventually([&] { return supervisor_.is_running(); }));
  }
  void kill_tree() { tree_.reset(); }  // SIGKILL to its process group: s6-svscan and every s6-supervise
  void kill_scanner() { ::kill(tree_->pid(), SIGKILL); }

  // Shell text; the file system is the host's, and what is written goes to $SHARED.
  Service instance(const std::string& name, const std::string& command) const {
    const std::string shim = (own_program().parent_path() / "pushrod-shim").native();
    std::string spec = "mode=sandbox\0lock=lock\0"s;
    for (const std::string& argument :
         {std::string("bwrap"), std::string("--as-pid-1"), std::string("--unshare-user"), std::string("--unshare-pid"),
          std::string("--new-session"), std::string("--bind"), std::string("/"), std::string("/"),
          std::string("--proc"), std::string("/proc"), std::string("--dev"), std::string("/dev"), std::string("--"),
          shim, std::string("init"), std::string("--"), std::string("/bin/sh"), std::string("-c"), command}) {
      spec += "arg=" + argument + '\0';
    }
    spec += "env=+PATH=/usr/bin:/bin" + std::string(1, '\0');
    spec += "env=+SHARED=" + (layout_.root() / "shared").native() + '\0';
    return service(name, spec);
  }
  Service program(const std::string& name, const std::string& command) const {
    std::string spec = "mode=exec\0arg=/bin/sh\0arg=-c\0"s;
    spec += "arg=" + command + '\0' + "env=PATH=/usr/bin:/bin" + '\0';
    spec += "env=SHARED=" + (layout_.root() / "shared").native() + '\0';
    return service(name, spec);
  }
  Service service(const std::string& name, const std::string& spec) const {
    Service service;
    service.name = name;
    service.spec = spec;
    service.log_directory = layout_.logs() / name;
    return service;
  }
  void run(const Service& service) {
    supervisor_.write(service);
    supervisor_.start({service.name}, kPatience);
  }

  ServiceStatus status(const std::string& name) const { return supervisor_.status(name); }
  std::string log(const std::string& name) const { return join(last_log_lines(layout_.logs() / name, 50), "\n"); }
  std::string shared(const std::string& file) const { return read_file(layout_.root() / "shared" / file).value_or(""); }
  bool appears(const std::string& file, const std::string& text) const {
    return eventually([&] { return shared(file).find(text) != std::string::npos; });
  }
  // Processes whose environment holds this tree's shared directory: the app's own, however they came to be.
  unsigned app_processes() const {
    unsigned count = 0;
    for (const std::string& name : list_directory("/proc")) {
      if (!parse_unsigned(name)) continue;
      std::ifstream file("/proc/" + name + "/environ");
      const std::string variables((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
      if (variables.find("\0SHARED="s + (layout_.root() / "shared").native()) != std::string::npos ||
          variables.starts_with("SHARED=" + (layout_.root() / "shared").native())) {
        ++count;
      }
    }
    return count;
  }

 private:
  static fs::path make_root() {
    std::string pattern = (fs::temp_directory_path() / "supervise-test.XXXXXX").native();
    return mkdtemp(pattern.data());
  }

 protected:
  Layout layout_;
  Supervisor supervisor_;
  std::optional<ChildProcess> tree_;
};

}  // namespace pushrod
