// Limits on programs that read what strangers have written.
#include "os/confinement.hh"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/command.hh"

namespace pushrod {
namespace {

constexpr std::uint64_t kMega = std::uint64_t{1} << 20;

Command shell(const std::string& script, const Confinement& confinement) {
  Command command;
  command.argv = {"sh", "-c", script};
  command.confinement = confinement;
  return command;
}

// In a child, since the limits are this process's own.
template <class Check>
bool holds_in_a_child(Check check) {
  const pid_t pid = fork();
  if (pid == 0) _exit(check() ? 0 : 1);
  int status = 0;
  return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST(Confinement, HoldsForTheProgramAndWhatItStarts) {
  const std::string look = "ulimit -S -d; ulimit -H -d; cat /proc/self/oom_score_adj";
  EXPECT_EQ(run_checked(shell(look + "; sh -c '" + look + "'", {64 * kMega, true})),
            "65536\nunlimited\n1000\n65536\nunlimited\n1000\n");
}

TEST(Confinement, IsNoneUnlessItIsAskedFor) {
  EXPECT_EQ(run_checked(shell("ulimit -S -d; cat /proc/self/oom_score_adj", {})),
            "unlimited\n" + std::to_string(oom_score()) + "\n");
}

TEST(Confinement, LimitsWhatIsAllocatedAndNotWhatIsMapped) {
  const std::string python =
      "python3 -c 'import mmap, sys\n"
      "with open(sys.executable, \"rb\") as file:\n"
      "  maps = [mmap.mmap(file.fileno(), 0, mmap.MAP_PRIVATE, mmap.PROT_READ) for _ in range(100)]\n"
      "print(\"mapped\", flush=True)\n"
      "try: bytearray(128 << 20)\n"
      "except MemoryError: print(\"refused\")'";
  EXPECT_EQ(run_checked(shell(python, {64 * kMega, false})), "mapped\nrefused\n");
}

TEST(Confinement, IsCutToTheHardLimit) {
  EXPECT_TRUE(holds_in_a_child([] {
    const rlimit hard{32 * kMega, 32 * kMega};
    rlimit now{};
    return setrlimit(RLIMIT_DATA, &hard) == 0 && confine({64 * kMega, false}) && getrlimit(RLIMIT_DATA, &now) == 0 &&
           now.rlim_cur == 32 * kMega;
  }));
}

TEST(Confinement, CanBeLeftByAProgramOfOurs) {
  EXPECT_TRUE(holds_in_a_child([] {
    const int before = oom_score();
    if (!confine({64 * kMega, true}) || oom_score() != 1000) return false;
    leave_confinement(before);
    rlimit now{};
    return oom_score() == before && getrlimit(RLIMIT_DATA, &now) == 0 && now.rlim_cur == now.rlim_max;
  }));
}

}  // namespace
}  // namespace pushrod
