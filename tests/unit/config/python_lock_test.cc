// Lock files of uv, Poetry and PDM, as these tools write them.
#include "config/python_lock.hh"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/error.hh"
#include "base/text.hh"

namespace pushrod {
namespace {

std::string told(const PythonLock& lock) {
  std::vector<std::string> lines;
  for (const auto& package : lock.packages) {
    lines.push_back(package.name + (package.place.empty() ? "==" + package.version : " @ " + package.place) +
                    (package.marker.empty() ? "" : " ; " + package.marker));
  }
  return join(lines, "\n");
}

constexpr const char* kUv = R"(version = 1
requires-python = ">=3.11"

[[package]]
name = "click"
version = "8.1.7"
source = { registry = "https://pypi.org/simple" }
dependencies = [
    { name = "colorama", marker = "platform_system == 'Windows'" },
]
sdist = { url = "https://files.pythonhosted.org/packages/96/click-8.1.7.tar.gz", hash = "sha256:ca98", size = 336121 }
wheels = [
    { url = "https://files.pythonhosted.org/packages/00/click-8.1.7-py3-none-any.whl", hash = "sha256:ae74", size = 97941 },
]

[[package]]
name = "colorama"
version = "0.4.6"
source = { registry = "https://pypi.org/simple" }
sdist = { url = "https://files.pythonhosted.org/packages/d8/colorama-0.4.6.tar.gz", hash = "sha256:0869" }

[[package]]
name = "httptools"
version = "0.6.1"
source = { registry = "https://pypi.org/simple" }
sdist = { url = "https://x/httptools-0.6.1.tar.gz", hash = "sha256:c6e2" }

[[package]]
name = "pytest"
version = "8.0.0"
source = { registry = "https://pypi.org/simple" }

[[package]]
name = "shop"
version = "0.1.0"
source = { virtual = "." }
dependencies = [
    { name = "uvicorn", extra = ["standard"] },
    { name = "own" },
]

[package.dev-dependencies]
dev = [
    { name = "pytest" },
]

[package.metadata]
requires-dist = [{ name = "uvicorn", extras = ["standard"], specifier = ">=0.30" }]

[[package]]
name = "own"
version = "1.0"
source = { git = "https://x.example/own.git?subdirectory=py&rev=main#0a1b" }

[[package]]
name = "uvicorn"
version = "0.30.0"
source = { registry = "https://pypi.org/simple" }
dependencies = [
    { name = "click" },
]
sdist = { url = "https://x/uvicorn-0.30.0.tar.gz", hash = "sha256:1111" }

[package.optional-dependencies]
standard = [
    { name = "colorama", marker = "sys_platform == 'win32'" },
    { name = "httptools" },
]
)";

TEST(PythonLock, AUvLockGivesWhatTheAppLeadsTo) {
  const auto lock = parse_uv_lock(kUv);
  EXPECT_EQ(told(lock),
            "click==8.1.7\n"
            "colorama==0.4.6 ; (sys_platform == 'win32') or (platform_system == 'Windows')\n"
            "httptools==0.6.1\n"
            "own @ git+https://x.example/own.git@0a1b#subdirectory=py\n"
            "uvicorn==0.30.0");
  EXPECT_TRUE(lock.uses_pypi);
  EXPECT_TRUE(lock.indexes.empty());
  EXPECT_EQ(lock.roots, (std::vector<std::string>{"uvicorn", "own"}));
  ASSERT_EQ(lock.packages.front().files.size(), 2U);
  EXPECT_EQ(lock.packages.front().files[1].name, "click-8.1.7-py3-none-any.whl");
  EXPECT_EQ(lock.packages.front().files[1].hash, "sha256:ae74");
}

TEST(PythonLock, AUvWorkspaceLeadsToItsMembersAndOtherIndexes) {
  const auto lock = parse_uv_lock(R"(
[[package]]
name = "web"
version = "0.1.0"
source = { editable = "packages/web" }
dependencies = [{ name = "numpy", version = "1.26.4", source = { registry = "http://x/simple" }, marker = "python_version < '3.12'" },
                { name = "numpy", version = "2.0.0", source = { registry = "http://x/simple" }, marker = "python_version >= '3.12'" }]
[[package]]
name = "numpy"
version = "1.26.4"
source = { registry = "http://x/simple" }
[[package]]
name = "numpy"
version = "2.0.0"
source = { registry = "http://x/simple" }
)");
  EXPECT_EQ(told(lock),
            "numpy==1.26.4 ; python_version < '3.12'\nnumpy==2.0.0 ; python_version >= '3.12'\nweb @ ./packages/web");
  EXPECT_EQ(lock.indexes, std::vector<std::string>{"http://x/simple"});
  EXPECT_FALSE(lock.uses_pypi);
}

TEST(PythonLock, ACycleOfPackagesEnds) {
  const auto lock = parse_uv_lock(R"(
[[package]]
name = "app"
source = { virtual = "." }
dependencies = [{ name = "a", marker = "x == '1'" }]
[[package]]
name = "a"
version = "1"
dependencies = [{ name = "b", marker = "y == '2'" }]
[[package]]
name = "b"
version = "1"
dependencies = [{ name = "a" }]
)");
  EXPECT_EQ(told(lock), "a==1 ; x == '1'\nb==1 ; (x == '1') and (y == '2')");
}

TEST(PythonLock, ALockOfPoetry2SaysWhatIsForProduction) {
  const auto lock = parse_poetry_lock(R"(
[[package]]
name = "Flask"
version = "3.0.3"
optional = false
groups = ["main"]
files = [{file = "flask-3.0.3-py3-none-any.whl", hash = "sha256:34e8"}]
[package.dependencies]
click = ">=8.1.3"
[[package]]
name = "colorama"
version = "0.4.6"
optional = false
groups = ["main", "dev"]
markers = {main = "platform_system == \"Windows\"", dev = "sys_platform == \"win32\""}
files = []
[[package]]
name = "pytest"
version = "8.0.0"
optional = false
groups = ["dev"]
files = []
[[package]]
name = "redis"
version = "5.0.0"
optional = true
groups = ["main"]
markers = "extra == \"cache\""
files = []
[metadata]
lock-version = "2.1"
)",
                                      "");
  EXPECT_EQ(told(lock), "flask==3.0.3\ncolorama==0.4.6 ; platform_system == \"Windows\"");
  EXPECT_EQ(lock.packages.front().files.front().hash, "sha256:34e8");
}

TEST(PythonLock, AnOlderLockOfPoetryIsFollowedFromPyproject) {
  const char* kLock = R"(
[[package]]
name = "click"
version = "8.1.7"
optional = false
files = [{file = "click-8.1.7-py3-none-any.whl", hash = "sha256:ae74"}]
[package.dependencies]
colorama = {version = "*", markers = "platform_system == \"Windows\""}
[[package]]
name = "colorama"
version = "0.4.6"
optional = false
files = []
[[package]]
name = "pytest"
version = "8.0.0"
optional = false
files = []
[[package]]
name = "uvicorn"
version = "0.30.0"
optional = false
files = []
[package.dependencies]
click = ">=7.0"
httptools = {version = ">=0.5", optional = true, markers = "extra == \"standard\""}
[[package]]
name = "httptools"
version = "0.6.1"
optional = false
files = []
[[package]]
name = "own"
version = "1.0"
optional = false
files = []
[package.source]
type = "git"
url = "https://x.example/own.git"
reference = "main"
resolved_reference = "0a1b"
[metadata]
lock-version = "2.0"
)";
  EXPECT_EQ(told(parse_poetry_lock(kLock, R"([tool.poetry.dependencies]
python = "^3.11"
uvicorn = {version = "^0.30", extras = ["standard"]}
own = {git = "https://x.example/own.git"}
pytest = {version = "8", optional = true}
)")),
            "click==8.1.7\ncolorama==0.4.6 ; platform_system == \"Windows\"\n"
            "httptools==0.6.1 ; python_version >= \"3\"\nown @ git+https://x.example/own.git@0a1b\nuvicorn==0.30.0");
  EXPECT_EQ(told(parse_poetry_lock(kLock, "[project]\ndependencies = ['uvicorn >= 0.3 ; python_version > \"3.8\"']\n")),
            "click==8.1.7 ; python_version > \"3.8\"\n"
            "colorama==0.4.6 ; (platform_system == \"Windows\") and (python_version > \"3.8\")\n"
            "uvicorn==0.30.0 ; python_version > \"3.8\"");
  EXPECT_THROW(parse_poetry_lock(kLock, "[tool.poetry.dependencies]\nflask = '*'\n"), UserError);
}

TEST(PythonLock, ALockOfPdmSaysWhatIsForProduction) {
  const auto lock = parse_pdm_lock(R"(
[metadata]
groups = ["default", "dev"]
[[package]]
name = "uvicorn"
version = "0.30.0"
groups = ["default"]
files = [{file = "uvicorn-0.30.0-py3-none-any.whl", hash = "sha256:1111"}]
[[package]]
name = "uvicorn"
version = "0.30.0"
extras = ["standard"]
groups = ["default"]
files = [{file = "uvicorn-0.30.0-py3-none-any.whl", hash = "sha256:1111"}]
[[package]]
name = "colorama"
version = "0.4.6"
groups = ["default"]
marker = "sys_platform == \"win32\""
files = []
[[package]]
name = "pytest"
version = "8"
groups = ["dev"]
files = []
)");
  EXPECT_EQ(told(lock), "uvicorn==0.30.0\ncolorama==0.4.6 ; sys_platform == \"win32\"");
  EXPECT_THROW(parse_pdm_lock("[[package]]\nname = 'x'\n"), UserError);
}

TEST(PythonLock, NamesHaveOneForm) {
  EXPECT_EQ(normal_python_name("Flask_SQLAlchemy..x"), "flask-sqlalchemy-x");
  EXPECT_EQ(python_requirement_name(" Django-Filter[a] >= 1 ; x"), "django-filter");
  EXPECT_EQ(python_requirement_name("--no-index"), "");
}

}  // namespace
}  // namespace pushrod
