// What a requirements.txt depends on.
#include "build/requirements.hh"

#include <gmock/gmock.h>

#include "test_tree.hh"

namespace pushrod {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Key;

class RequirementsTest : public testing::Test {
 protected:
  Requirements read(const std::string& text) {
    tree_.write("web/requirements.txt", text);
    return read_requirements(tree_.path(), "web/requirements.txt");
  }
  TestTree tree_;
};

TEST_F(RequirementsTest, SayOneVersionOfEverythingOrNot) {
  EXPECT_THAT(read("flask==3.0.0\n# flask\n\ngunicorn [gevent] == 22.0 ; python_version > '3.8'  # why\n").unpinned,
              IsEmpty());
  EXPECT_THAT(read("a==1\nflask>=3\nrequests\nx==2.*\n").unpinned, ElementsAre("flask>=3", "requests", "x==2.*"));
  EXPECT_THAT(read("flask==3.0 \\\n  --hash=sha256:00 \\\n  --hash=sha256:01\n").unpinned, IsEmpty());
  EXPECT_THAT(read("x @ https://h.example/x.whl#sha256=00\ny @ git+https://h.example/y\n").unpinned,
              ElementsAre("y @ git+https://h.example/y"));
}

TEST_F(RequirementsTest, IncludeTheFilesThatTheyName) {
  tree_.write("base.txt", "a==1\n-c constraints.txt\n");
  tree_.write("constraints.txt", "b==2\n");
  tree_.write("web/more.txt", "-r requirements.txt\nc\n");
  const auto found = read("-r ../base.txt\n--requirement=more.txt\n");
  EXPECT_FALSE(found.uses_tree);
  EXPECT_THAT(found.files,
              ElementsAre(Key("base.txt"), Key("constraints.txt"), Key("web/more.txt"), Key("web/requirements.txt")));
  EXPECT_THAT(found.unpinned, ElementsAre("c"));
}

TEST_F(RequirementsTest, IncludeThePackagesOfADirectory) {
  tree_.write("wheels/a-1-py3-none-any.whl", "zip");
  tree_.write("wheels/README", "");
  const auto found = read("--no-index\n--find-links ../wheels/\na==1\n");
  EXPECT_FALSE(found.uses_tree);
  EXPECT_THAT(found.files, ElementsAre(Key("web/requirements.txt"), Key("wheels/a-1-py3-none-any.whl")));
}

TEST_F(RequirementsTest, ThatNameTheAppsOwnCodeUseTheTree) {
  for (const char* text :
       {"-e .\n", ".\n", "./lib\n", "../lib[x]\n", "/app/lib\n", "x @ file:///app/x\n", "wheels/x.whl\n",
        "-r missing.txt\n", "-r ../../outside.txt\n", "-r /etc/passwd\n", "-r https://h.example/r.txt\n",
        "-f missing\n", "-f ..\n-e ../lib\n", "--some-new-option\n"}) {
    EXPECT_TRUE(read(text).uses_tree) << text;
  }
}

TEST_F(RequirementsTest, FollowNoSymlink) {
  tree_.write("real/base.txt", "a==1\n");
  tree_.link("linked", "real");
  tree_.link("base.txt", "real/base.txt");
  EXPECT_TRUE(read("-r ../linked/base.txt\n").uses_tree);
  EXPECT_TRUE(read("-r ../base.txt\n").uses_tree);
  EXPECT_TRUE(read("-f ../linked\n").uses_tree);
  EXPECT_FALSE(read("-r ../real/base.txt\n").uses_tree);
}

}  // namespace
}  // namespace pushrod
