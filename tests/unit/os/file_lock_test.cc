// Locks that die with their holder.
#include "os/file_lock.hh"

#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <thread>

#include "base/error.hh"
#include "base/text.hh"
#include "fixtures.hh"
#include "os/command.hh"
#include "os/files.hh"

namespace pushrod {
namespace {

class Locks : public InTemporaryDirectory {
 protected:
  // A process that holds the lock until it is killed.
  class Holder {
   public:
    explicit Holder(const fs::path& path, const std::string& what = "deploy blog") {
      Pipe ready = make_pipe();
      pid_ = fork();
      if (pid_ == 0) {
        const FileLock lock = FileLock::acquire(path);
        if (!what.empty()) lock.announce(what);
        ready.write_end.reset();
        ready.read_end.reset();
        while (true) pause();
      }
      ready.write_end.reset();
      EXPECT_TRUE(wait_for(ready.read_end.get(), POLLIN, Deadline(kPatience)));
    }
    Holder(const Holder&) = delete;
    Holder& operator=(const Holder&) = delete;
    ~Holder() {
      if (pid_ > 0) end(SIGKILL);
    }
    pid_t pid() const { return pid_; }
    // Its wait status.
    int end(int signal) {
      if (signal != 0) kill(pid_, signal);
      int status = 0;
      EXPECT_EQ(waitpid(pid_, &status, 0), pid_);
      pid_ = -1;
      return status;
    }

   private:
    pid_t pid_ = -1;
  };

  fs::path path_ = root_ / "locks" / "blog";
};

TEST_F(Locks, ExcludeEachOther) {
  auto first = FileLock::try_acquire(path_);
  ASSERT_TRUE(first);
  EXPECT_FALSE(FileLock::try_acquire(path_));
  first.reset();
  EXPECT_TRUE(FileLock::try_acquire(path_));
}

TEST_F(Locks, SharedOnesExcludeOnlyTheOthers) {
  auto first = FileLock::acquire_shared(path_, nullptr);
  auto second = FileLock::acquire_shared(path_, nullptr);
  ASSERT_TRUE(first && second);
  first.reset();
  EXPECT_FALSE(FileLock::try_acquire(path_));
  second.reset();
  const auto whole = FileLock::try_acquire(path_);
  ASSERT_TRUE(whole);
  EXPECT_FALSE(FileLock::acquire_shared(path_, [] { return true; })) << "interrupted while it waits";
}

TEST_F(Locks, FileIsPrivateAndCloseOnExec) {
  const FileLock lock = FileLock::acquire(path_);
  struct stat status {};
  ASSERT_EQ(fstat(lock.fd(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
  EXPECT_NE(fcntl(lock.fd(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST_F(Locks, DieWithTheirHolder) {
  Holder holder(path_);
  EXPECT_FALSE(FileLock::try_acquire(path_));
  holder.end(SIGKILL);
  EXPECT_FALSE(read_file(path_)->empty()) << "the announcement is left over";
  EXPECT_FALSE(lock_holder(path_)) << "and not believed";
  EXPECT_TRUE(FileLock::try_acquire(path_));
}

TEST_F(Locks, LiveAsLongAsAChildThatInheritedThem) {
  Pipe input = make_pipe();
  auto lock = FileLock::try_acquire(path_);
  Command command;
  command.argv = {"cat"};
  command.inherit = {lock->fd()};
  auto child = ChildProcess::start(command, input.read_end.get(), -1, -1);
  lock.reset();
  EXPECT_FALSE(FileLock::try_acquire(path_));
  child.kill_group();
  EXPECT_TRUE(FileLock::try_acquire(path_));
}

TEST_F(Locks, TellWhoHoldsThem) {
  EXPECT_FALSE(lock_holder(path_));
  const FileLock lock = FileLock::acquire(path_);
  EXPECT_FALSE(lock_holder(path_)) << "not announced yet";
  lock.announce("deploy blog\n12");
  auto holder = lock_holder(path_);
  ASSERT_TRUE(holder);
  EXPECT_EQ(holder->pid, getpid());
  EXPECT_EQ(holder->what, "deploy blog\\n12");
  lock.announce("x");
  EXPECT_EQ(lock_holder(path_)->what, "x");
}

TEST_F(Locks, BelieveNoAnnouncementOfTheirFormerHolder) {
  {
    const FileLock lock = FileLock::acquire(path_);
    lock.announce("first");
  }
  EXPECT_EQ(read_file(path_), "");
  make_directory(path_.parent_path());
  write_file(path_, "1 killed\n");
  const FileLock lock = FileLock::acquire(path_);
  EXPECT_FALSE(lock_holder(path_));
}

TEST_F(Locks, IgnoreAnnouncementsThatAreNone) {
  for (const char* text : {"", "\n", "12", "12 cut", "0 zero\n", "-1 all\n", "abc x\n", "99999999999 x\n"}) {
    const FileLock lock = FileLock::acquire(path_);
    ASSERT_EQ(ftruncate(lock.fd(), 0), 0);
    write_all(lock.fd(), text, "write");
    EXPECT_FALSE(lock_holder(path_)) << text;
    EXPECT_FALSE(signal_holder(path_, SIGKILL)) << text;
  }
}

TEST_F(Locks, SignalReachesTheHolder) {
  Holder holder(path_);
  ASSERT_EQ(lock_holder(path_)->pid, holder.pid());
  EXPECT_TRUE(signal_holder(path_, SIGTERM));
  const int status = holder.end(0);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGTERM);
}

TEST_F(Locks, SignalReachesNoProcessWhenTheyAreFree) {
  EXPECT_FALSE(signal_holder(path_, SIGCONT));
  // The number of a living process in a left-over announcement: it must not be hit.
  make_directory(path_.parent_path());
  write_file(path_, std::to_string(getpid()) + " deploy\n");
  EXPECT_FALSE(signal_holder(path_, SIGCONT));
}

TEST_F(Locks, LookingNeverMakesAnAcquisitionFail) {
  std::jthread looker([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      lock_holder(path_);
      std::this_thread::yield();
    }
  });
  int missed = 0;
  for (int round = 0; round < 300; ++round) missed += FileLock::try_acquire(path_) ? 0 : 1;
  EXPECT_EQ(missed, 0);
}

// Holds the lock for a look, and lets go once try_acquire has come back for a second attempt.
TEST_F(Locks, ALookOnlyDelaysAnAcquisition) {
  FileLock::acquire(path_);
  const UniqueFd watch(inotify_init1(IN_CLOEXEC));
  const UniqueFd look = open_file(path_, O_RDONLY);
  ASSERT_GE(inotify_add_watch(watch.get(), path_.c_str(), IN_OPEN), 0);
  // One success is enough: on a crowded machine the looker may not get to let go in time.
  bool acquired = false;
  for (int round = 0; round < 10 && !acquired; ++round) {
    ASSERT_EQ(flock(look.get(), LOCK_SH), 0);
    Pipe finished = make_pipe();
    std::jthread looker([&] {
      for (std::size_t opened = 0; opened < 2 * sizeof(inotify_event);) {
        std::array<pollfd, 2> events{{{watch.get(), POLLIN, 0}, {finished.read_end.get(), POLLIN, 0}}};
        if (poll_until(events, Deadline(kPatience)) == 0 || events[1].revents != 0) break;
        std::array<char, 4'096> buffer{};
        opened += static_cast<std::size_t>(read(watch.get(), buffer.data(), buffer.size()));
      }
      flock(look.get(), LOCK_UN);
    });
    acquired = FileLock::try_acquire(path_).has_value();
    finished.write_end.reset();
  }
  EXPECT_TRUE(acquired);
}

// The kernel's list of locks shows who waits.
bool waits_for_a_lock() {
  const auto locks = read_file("/proc/locks");
  const std::vector<std::string> lines = lines_of(locks.value_or(""));
  return std::any_of(lines.begin(), lines.end(), [](const std::string& line) {
    return line.find("-> FLOCK") != std::string::npos &&
           line.find(" " + std::to_string(getpid()) + " ") != std::string::npos;
  });
}

void wait_until(const std::function<bool()>& condition) {
  const Deadline deadline(kPatience);
  while (!condition() && !deadline.passed()) std::this_thread::yield();
}

TEST_F(Locks, AcquireWaitsForTheHolder) {
  Holder holder(path_);
  std::atomic<bool> acquired = false;
  std::jthread waiter([&] {
    const FileLock lock = FileLock::acquire(path_);
    acquired = true;
  });
  wait_until(waits_for_a_lock);
  EXPECT_FALSE(acquired);
  holder.end(SIGKILL);
  waiter.join();
  EXPECT_TRUE(acquired);
}

void do_nothing(int) {}

// Signals the thread until the condition holds: there is no event that says "it waits now".
void interrupt_until(std::jthread& thread, const std::function<bool()>& condition) {
  const Deadline deadline(kPatience);
  while (!condition() && !deadline.passed()) {
    pthread_kill(thread.native_handle(), SIGUSR1);
    std::this_thread::yield();
  }
}

TEST_F(Locks, WaitIsGivenUpWhenInterruptedAndAsked) {
  struct sigaction action {};
  action.sa_handler = do_nothing;  // and no SA_RESTART
  sigaction(SIGUSR1, &action, nullptr);
  Holder holder(path_);

  std::atomic<int> asked = 0;
  std::atomic<bool> done = false;
  std::optional<FileLock> lock;
  std::jthread waiter([&] {
    lock = FileLock::acquire(path_, [&] { return ++asked == 3; });
    done = true;
  });
  interrupt_until(waiter, [&] { return done.load(); });
  waiter.join();
  EXPECT_FALSE(lock);
  EXPECT_EQ(asked, 3) << "answered false twice, waited on";

  asked = 0;
  std::jthread patient([&] { lock = FileLock::acquire(path_, [&] { return ++asked < 0; }); });
  interrupt_until(patient, [&] { return asked > 0; });
  holder.end(SIGKILL);
  patient.join();
  EXPECT_TRUE(lock);
  signal(SIGUSR1, SIG_DFL);
}

TEST_F(Locks, LockOnAReplacedFileDoesNotCount) {
  Holder holder(path_, "");
  std::optional<FileLock> lock;
  std::jthread waiter([&] { lock = FileLock::acquire(path_); });
  wait_until(waits_for_a_lock);
  ASSERT_TRUE(remove_file(path_));
  holder.end(SIGKILL);
  waiter.join();
  struct stat held {};
  struct stat named {};
  ASSERT_EQ(fstat(lock->fd(), &held), 0);
  ASSERT_EQ(stat(path_.c_str(), &named), 0);
  EXPECT_EQ(held.st_ino, named.st_ino);
  EXPECT_FALSE(FileLock::try_acquire(path_));
}

TEST_F(Locks, AreNotTakenThroughASymlink) {
  make_directory(path_.parent_path());
  write_file(root_ / "precious", "content");
  replace_symlink(path_, root_ / "precious");
  EXPECT_THROW(FileLock::try_acquire(path_), SystemError);
  EXPECT_EQ(read_file(root_ / "precious"), "content");
}

}  // namespace
}  // namespace pushrod
