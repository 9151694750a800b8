// What the shim understands of ./spec. src/sandbox/shim_spec.cc writes it.
#include "fixtures.hh"
#include "shim/parts.hh"

namespace pushrod {
namespace {

using testing::ElementsAre;
using testing::ExitedWithCode;
using testing::UnorderedElementsAre;

class SpecFile : public ServiceDirectory {
 protected:
  SpecFile() : before_(std::filesystem::current_path()) { std::filesystem::current_path(root_); }
  ~SpecFile() override { std::filesystem::current_path(before_); }

  static std::vector<std::string> words(char** vector) {
    std::vector<std::string> found;
    for (; *vector != nullptr; ++vector) found.emplace_back(*vector);
    return found;
  }

 private:
  std::filesystem::path before_;
};

TEST_F(SpecFile, HasArgumentsInOrderAndVariables) {
  write_spec({"mode=exec", "arg=/bin/serve", "env=A=1", "arg=", "arg=--name=a b", "env=B==", "arg=x"});
  const auto spec = shim::read_spec();
  EXPECT_FALSE(spec.sandbox);
  EXPECT_THAT(words(spec.argv), ElementsAre("/bin/serve", "", "--name=a b", "x"));
  EXPECT_THAT(words(spec.environment), UnorderedElementsAre("A=1", "B=="));
  EXPECT_FALSE(spec.keep_listeners || spec.keep_stderr || spec.keep_stdin);
}

TEST_F(SpecFile, SaysWhatASandboxGets) {
  write_spec({"mode=sandbox", "arg=bwrap", "lock=lock", "cgroup=/sys/fs/cgroup/x", "keep_listeners=1", "keep_stderr=1",
              "keep_stdin=1"});
  const auto spec = shim::read_spec();
  EXPECT_TRUE(spec.sandbox && spec.keep_listeners && spec.keep_stderr && spec.keep_stdin);
  EXPECT_STREQ(spec.lock, "lock");
  EXPECT_STREQ(spec.cgroup, "/sys/fs/cgroup/x");
}

TEST_F(SpecFile, MayHaveAsManyEntriesAsFit) {
  std::vector<std::string> entries{"mode=exec"};
  for (int number = 0; number < 50'000; ++number) entries.emplace_back(number % 2 == 0 ? "arg=" : "env=");
  write_spec(entries);
  const auto spec = shim::read_spec();
  EXPECT_EQ(words(spec.argv).size(), 25'000U);
  EXPECT_EQ(words(spec.environment).size(), 25'000U);
}

TEST_F(SpecFile, IsRefusedWhenItIsNotOne) {
  for (const auto& entries : std::vector<std::vector<std::string>>{{"arg=/bin/true"},
                                                                   {"mode=exec"},
                                                                   {"mode=later", "arg=/bin/true"},
                                                                   {"mode=exec", "arg=/bin/true", "colour=red"},
                                                                   {"mode=exec", "arg=/bin/true", ""},
                                                                   {"mode=sandbox", "arg=bwrap"},
                                                                   {"mode=exec", "arg=" + std::string(1 << 20, 'x')}}) {
    write_spec(entries);
    EXPECT_EXIT(shim::read_spec(), ExitedWithCode(100), "pushrod-shim: read ./spec: ");
  }
  write_file(root_ / "spec", "");
  EXPECT_EXIT(shim::read_spec(), ExitedWithCode(100), "it is empty");
  write_file(root_ / "spec", "mode=exec\narg=/bin/true\n");
  EXPECT_EXIT(shim::read_spec(), ExitedWithCode(100), "its last entry does not end in a NUL");
}

TEST_F(SpecFile, IsNotReadThroughALink) {
  EXPECT_EXIT(shim::read_spec(), ExitedWithCode(111), "open ./spec: No such file or directory");
  write_spec({"mode=exec", "arg=/bin/true"});
  std::filesystem::rename("spec", "elsewhere");
  std::filesystem::create_symlink("elsewhere", "spec");
  EXPECT_EXIT(shim::read_spec(), ExitedWithCode(111), "Too many levels of symbolic links");
}

}  // namespace
}  // namespace pushrod
