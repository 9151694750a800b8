// Hints from evidence: what programs in common languages print when they fail, and what is said about it. No hint where
// the evidence supports none.
#include "diagnosis/diagnosis.hh"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>

#include "base/text.hh"
#include "os/files.hh"

namespace pushrod {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class DiagnosisTest : public testing::Test {
 protected:
  DiagnosisTest() {
    std::string name = fs::temp_directory_path() / "pushrod-diagnosis-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) std::abort();
    code_ = name;
  }
  ~DiagnosisTest() override { remove_tree(code_); }

  void write(const std::string& name, const std::string& content, mode_t mode = 0644) {
    make_directory((code_ / name).parent_path());
    write_file(code_ / name, content, mode);
  }
  // Of a web process with $PORT 21034.
  std::string hint(const std::string& output, std::optional<int> exit_code = 1, Stage stage = Stage::Instance) {
    FailedProgram failed;
    failed.stage = stage;
    failed.app = "blog";
    failed.type = "web";
    failed.output = lines_of(output);
    failed.exit_code = exit_code;
    failed.code = code_;
    failed.variables = variables_;
    failed.limits = limits_;
    failed.signal = signal_;
    failed.port = port_;
    return diagnose(failed);
  }

  fs::path code_;
  std::set<std::string> variables_{"PATH", "PORT", "HOME"};
  Limits limits_;
  std::string signal_;
  std::optional<std::uint16_t> port_ = 21034;
};

TEST_F(DiagnosisTest, OutputThatExplainsNothingGetsNoHint) {
  EXPECT_EQ(hint(""), "");
  EXPECT_EQ(hint("Starting\nTypeError: x is not a function\n    at main (/app/server.js:3:1)\n"), "");
  EXPECT_EQ(hint("AssertionError: 2 != 3\n", 70), "");
  EXPECT_EQ(hint("ValueError: invalid literal for int() with base 10: ''\n"), "");
  EXPECT_EQ(hint("KeyError: 'NAME'\n"), "") << "a dictionary's key, as far as one can tell";
}

TEST_F(DiagnosisTest, AReadOnlyPathNamesTheLineThatMakesItWritable) {
  const auto writable = [&](const std::string& output) {
    const auto text = hint(output);
    EXPECT_THAT(text, HasSubstr("$DATA_DIR"));
    EXPECT_THAT(text, HasSubstr("/tmp"));
    const auto at = text.find("writable = ");
    return at == text.npos ? text : text.substr(at);
  };
  EXPECT_EQ(writable("Traceback (most recent call last):\nOSError: [Errno 30] Read-only file system: 'tmp'\n"),
            "writable = [\"tmp\"]");
  EXPECT_EQ(
      writable("Error: EROFS: read-only file system, mkdir '/app/.nx/cache'\n    at x (node:fs:1)\n  errno: -30,\n"
               "  code: 'EROFS',\n  syscall: 'mkdir',\n  path: '/app/.nx/cache'\n}\n"),
      "writable = [\".nx\"]");
  EXPECT_EQ(writable("rails: Read-only file system @ dir_s_mkdir - /app/tmp/pids (Errno::EROFS)\n"),
            "writable = [\"tmp\"]");
  EXPECT_EQ(writable("2026/11/29 10:00:00 open uploads/a.png: read-only file system\n"), "writable = [\"uploads\"]");
  EXPECT_EQ(writable("panic: mkdir /app/state: read-only file system\n"), "writable = [\"state\"]");
  EXPECT_EQ(writable("java.io.FileNotFoundException: logs/app.log (Read-only file system)\n"), "writable = [\"logs\"]");
  EXPECT_EQ(writable("mkdir: cannot create directory ‘run’: Read-only file system\n"), "writable = [\"run\"]");
  EXPECT_EQ(writable("/bin/sh: 1: cannot create log/web.log: Read-only file system\n"), "writable = [\"log\"]");
  EXPECT_EQ(
      writable("PHP Warning:  file_put_contents(cache/x): Failed to open stream: Read-only file system in x.php\n"),
      "writable = [\"cache\"]");
  EXPECT_EQ(writable("OSError: [Errno 30] Read-only file system: 'app.log'\n"), "writable = true")
      << "a file of /app itself";
}

TEST_F(DiagnosisTest, AsLittleAsPossibleBecomesWritable) {
  write(".next/BUILD_ID", "1");
  write("log/.keep", "");
  write("public/uploads/a", "1");
  EXPECT_THAT(hint("Error: EROFS: read-only file system, mkdir '/app/.next/cache/images'\n"),
              HasSubstr("writable = [\".next/cache\"]"));
  EXPECT_THAT(hint("OSError: [Errno 30] Read-only file system: '/app/log/web.log'\n"),
              HasSubstr("writable = [\"log\"]"));
  EXPECT_THAT(hint("OSError: [Errno 30] Read-only file system: 'public/uploads/a'\n"),
              HasSubstr("writable = [\"public/uploads\"]"));
}

TEST_F(DiagnosisTest, APathOutsideOfTheAppCannotBeMadeWritable) {
  const auto outside = hint("PermissionError: [Errno 13] Permission denied: '/var/log/app.log'\n");
  EXPECT_THAT(outside, StartsWith("/var/log/app.log is not writable"));
  EXPECT_THAT(outside, Not(HasSubstr("writable =")));
  EXPECT_THAT(hint("EROFS: read-only file system, open '/usr/share/x'\n"), StartsWith("/usr/share/x is not writable"));
  EXPECT_THAT(hint("mkdir: cannot create directory '/srv/x': Permission denied\n"), StartsWith("/srv/x is not"));
  EXPECT_EQ(hint("Read-only file system @ dir_s_mkdir - /var/lib/gems (Errno::EROFS)\n", 1, Stage::Build),
            "/var/lib/gems is not writable in a build: write to /app, /cache or /tmp");
}

TEST_F(DiagnosisTest, ADatabaseFileBelongsIntoTheDataDirectory) {
  EXPECT_THAT(hint("sqlite3.OperationalError: attempt to write a readonly database\n"),
              testing::AllOf(HasSubstr("$DATA_DIR"), HasSubstr("[app] writable = true")));
  EXPECT_THAT(hint("SqliteError: unable to open database file\n"), HasSubstr("$DATA_DIR"));
}

TEST_F(DiagnosisTest, AFixedPortIsNamedBesideThePortThatItMustUse) {
  const std::string rest = ": a web process must listen on $PORT (21034)";
  EXPECT_EQ(hint("Error: listen EADDRINUSE: address already in use 0.0.0.0:3000\n    at Server.setupListenHandle\n"
                 "  code: 'EADDRINUSE',\n  port: 3000\n"),
            "it tried to listen on 0.0.0.0:3000" + rest + ", as in listen(process.env.PORT || 3000)");
  EXPECT_EQ(hint("Error: listen EACCES: permission denied 0.0.0.0:80\n"),
            "it tried to listen on 0.0.0.0:80" + rest + ", as in listen(process.env.PORT || 80)");
  EXPECT_EQ(hint("listen tcp :8080: bind: address already in use\n"), "it tried to listen on port 8080" + rest);
  EXPECT_EQ(hint("listen tcp :80: bind: permission denied\n"), "it tried to listen on port 80" + rest);
  EXPECT_EQ(hint("[ERROR] Connection in use: ('0.0.0.0', 8000)\n"), "it tried to listen on port 8000" + rest);
  EXPECT_EQ(
      hint("ERROR:    [Errno 98] error while attempting to bind on address ('127.0.0.1', 8000): address already\n"),
      "it tried to listen on port 8000" + rest);
  EXPECT_EQ(hint("Address already in use - bind(2) for \"127.0.0.1\" port 4567 (Errno::EADDRINUSE)\n"),
            "it tried to listen on port 4567" + rest);
  EXPECT_EQ(hint("Web server failed to start. Port 8080 was already in use.\n"),
            "it tried to listen on port 8080" + rest);
  EXPECT_EQ(
      hint("Traceback:\n    self.socket.bind(self.server_address)\nPermissionError: [Errno 13] Permission denied\n"),
      "it could not listen: a web process must listen on $PORT (21034), not on a fixed port");
  EXPECT_EQ(hint("OSError: [Errno 98] Address already in use\n"),
            "it could not listen: a web process must listen on $PORT (21034), not on a fixed port");
  EXPECT_THAT(hint("Error: listen EADDRINUSE: address already in use :::21034\n"), HasSubstr("start its server twice"));
  port_.reset();
  EXPECT_THAT(hint("listen tcp :9090: bind: permission denied\n"), HasSubstr("only a web process"));
}

TEST_F(DiagnosisTest, AMissingModuleNamesTheFileOfDependencies) {
  EXPECT_EQ(
      hint("ModuleNotFoundError: No module named 'flask'\n"),
      "the Python module \"flask\" is not installed: the app has no requirements.txt; add the package that has it "
      "to requirements.txt");
  write("uv.lock", "");
  write("pyproject.toml", "");
  EXPECT_EQ(
      hint("ModuleNotFoundError: No module named 'flask'\n"),
      "the Python module \"flask\" is not installed: uv add the package that has it, and commit pyproject.toml and "
      "uv.lock");
  write("requirements.txt", "");
  EXPECT_EQ(hint("ModuleNotFoundError: No module named 'yaml.cyaml'\n"),
            "the Python module \"yaml.cyaml\" is not installed: add the package that has it to requirements.txt");
  write("package.json", "{}");
  EXPECT_EQ(hint("node:internal/modules/cjs/loader:1080\n  throw err;\n\nError: Cannot find module '@scope/pkg/sub'\n"
                 "Require stack:\n- /app/server.js\n"),
            "the Node.js module \"@scope/pkg\" is not installed: run `npm install @scope/pkg`, and commit package.json "
            "and its lock file");
  EXPECT_THAT(hint("Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'express' imported from /app/server.mjs\n"),
              HasSubstr("npm install express"));
  EXPECT_THAT(hint("Error: Cannot find module '/app/dist/index.js'\n"), HasSubstr("made by the build"));
  EXPECT_THAT(hint("server.rb:1:in `require': cannot load such file -- sinatra (LoadError)\n"), HasSubstr("Gemfile"));
  EXPECT_THAT(hint("Could not find gem 'rails (~> 7)' in locally installed gems.\n"), HasSubstr("\"rails\""));
  EXPECT_THAT(hint("PHP Fatal error:  Uncaught Error: Failed opening required '/app/vendor/autoload.php'\n", 255),
              HasSubstr("composer install"));
  EXPECT_THAT(hint("main.go:4:2: no required module provides package github.com/x/y; to add it:\n", 1, Stage::Build),
              HasSubstr("go mod tidy"));
  EXPECT_THAT(hint("Error: Unable to access jarfile target/app.jar\n"), HasSubstr("target/app.jar does not exist"));
  EXPECT_THAT(hint("Can't locate Mojolicious/Lite.pm in @INC (you may need to install it)\n", 2), HasSubstr("Perl"));
}

TEST_F(DiagnosisTest, TheAppsOwnModuleIsNotADependency) {
  write("shop/__init__.py", "");
  EXPECT_EQ(hint("ModuleNotFoundError: No module named 'shop.views'\n"), "");
}

TEST_F(DiagnosisTest, AFileThatIsNotExecutableNamesTheCommandThatMakesItSo) {
  write("start.sh", "#!/bin/sh\n");
  const std::string expected =
      "./start.sh is not executable: git update-index --chmod=+x start.sh, then commit and push";
  EXPECT_EQ(hint("/bin/sh: 1: ./start.sh: Permission denied\n", 126), expected);
  EXPECT_EQ(hint("/bin/bash: line 1: ./start.sh: Permission denied\n", 126), expected);
  EXPECT_EQ(hint("sh: 1: ./start.sh: Permission denied\nmake: *** [Makefile:2: all] Error 126\n", 2, Stage::Build),
            expected);
  EXPECT_THAT(hint("/bin/sh: 1: bin/server: Exec format error\n", 126), HasSubstr("processor"));
  EXPECT_THAT(hint("/bin/bash: line 1: ./tool: cannot execute binary file: Exec format error\n", 126),
              StartsWith("./tool"));
  EXPECT_THAT(hint("/bin/bash: line 1: ./bin: Is a directory\n", 126), HasSubstr("is a directory"));
}

TEST_F(DiagnosisTest, AMissingProgramIsNamedWithWhereItComesFrom) {
  EXPECT_EQ(hint("/bin/sh: 1: gunicorn: not found\n", 127),
            "\"gunicorn\" was not found: add it to the dependencies in requirements.txt");
  EXPECT_EQ(hint("/bin/sh: 1: exec: gunicorn: not found\n", 127),
            "\"gunicorn\" was not found: add it to the dependencies in requirements.txt");
  EXPECT_EQ(
      hint("/bin/bash: line 1: composer: command not found\n", 127),
      "\"composer\" is not installed on this machine; its administrator can install it: apt-get install composer");
  EXPECT_EQ(hint("/usr/bin/env: ‘ruby’: No such file or directory\n", 127),
            "\"ruby\" is not installed on this machine; its administrator can install it: apt-get install ruby");
  EXPECT_EQ(hint("/bin/sh: 1: python: not found\n", 127),
            "\"python\" was not found: on this machine its name is python3");
  write("package.json", "{}");
  EXPECT_EQ(
      hint("> app@1.0.0 start\n> frobnicate\n\nsh: 1: frobnicate: not found\n", 127),
      "\"frobnicate\" was not found: correct its name, add it to package.json, or have the administrator install it");
  EXPECT_EQ(hint("/bin/sh: 2: ./bin/server: not found\n", 127),
            "./bin/server does not exist: is it committed, or made by the build?");
}

TEST_F(DiagnosisTest, WindowsLineEndsAreRecognised) {
  const std::string start = "start.sh has Windows line ends (CR LF): convert it to Unix line ends";
  write("start.sh", "#!/bin/sh\r\nexec true\r\n", 0755);
  EXPECT_THAT(hint("/bin/sh: 1: ./start.sh: not found\n", 127), StartsWith(start));
  EXPECT_THAT(hint("/bin/bash: line 1: ./start.sh: cannot execute: required file not found\n", 127), StartsWith(start));
  EXPECT_THAT(hint("env: ‘python3\\r’: No such file or directory\n", 127), HasSubstr("Windows line ends"));
  EXPECT_THAT(hint("./start.sh: line 2: $'\\r': command not found\n", 127), HasSubstr("Windows line ends"));
  write("run.sh", "#!/usr/bin/no-such-shell\n", 0755);
  EXPECT_EQ(hint("/bin/sh: 1: ./run.sh: not found\n", 127),
            "./run.sh begins with #!/usr/bin/no-such-shell, and this machine does not have that program");
}

TEST_F(DiagnosisTest, ADatabaseThatIsNotThereIsNamed) {
  const std::string postgres =
      "it needs PostgreSQL at 127.0.0.1:5432, and nothing listens there: have Pushrod run one, in pushrod.toml: "
      "[services] db = \"postgres\"; or set its address: config set blog DATABASE_URL=…";
  EXPECT_EQ(hint("Error: connect ECONNREFUSED 127.0.0.1:5432\n    at TCPConnectWrap\n  code: 'ECONNREFUSED',\n"),
            postgres);
  EXPECT_EQ(hint("dial tcp 127.0.0.1:5432: connect: connection refused\n"), postgres);
  EXPECT_THAT(hint("psycopg2.OperationalError: connection to server at \"localhost\" (127.0.0.1), port 5432 failed: "
                   "Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?\n"),
              HasSubstr("PostgreSQL at port 5432"));
  EXPECT_THAT(hint("redis.exceptions.ConnectionError: Error 111 connecting to localhost:6379. Connection refused.\n"),
              HasSubstr("Redis at localhost:6379"));
  EXPECT_THAT(hint("Can't reach database server at `localhost:5432`\n"), HasSubstr("PostgreSQL at localhost:5432"));
  EXPECT_THAT(hint("connect ECONNREFUSED ::1:27017\n"), HasSubstr("start MongoDB; or set its address"));
  EXPECT_THAT(hint("dial tcp 10.0.0.7:4222: connect: connection refused\n"),
              HasSubstr("it needs a server at 10.0.0.7:4222"));
  EXPECT_EQ(hint("Connection refused\n"), "") << "by what?";
  EXPECT_THAT(hint("Error: getaddrinfo ENOTFOUND db\n"), HasSubstr("the host name \"db\" is unknown"));
  EXPECT_THAT(hint("npm ERR! request to https://registry.example.com failed, reason: getaddrinfo EAI_AGAIN "
                   "registry.example.com\n",
                   1, Stage::Build),
              HasSubstr("network"));
}

TEST_F(DiagnosisTest, APackageThatTheRegistryDoesNotHaveIsNamed) {
  for (const char* line :
       {"npm error code E404\nnpm error 404 Not Found - GET https://registry.example/left - Not found\n",
        "ERR_PNPM_FETCH_404  GET https://registry.example/left: Not Found - 404\n",
        "➤ YN0035: │ left: Package not found\n"}) {
    EXPECT_THAT(hint(line, 1, Stage::Build), StartsWith("the package registry has no left: ")) << line;
  }
}

TEST_F(DiagnosisTest, ASettingThatIsNotSetIsNamedWithTheCommandThatSetsIt) {
  const std::string expected = "the setting DATABASE_URL is missing: config set blog DATABASE_URL=…";
  EXPECT_EQ(hint("  File \"/app/app.py\", line 3\n    url = os.environ['DATABASE_URL']\nKeyError: 'DATABASE_URL'\n"),
            expected);
  EXPECT_EQ(hint("error: Environment variable not found: DATABASE_URL.\n"), expected);
  EXPECT_EQ(hint("config.rb:1:in `fetch': key not found: \"DATABASE_URL\" (KeyError) in ENV.fetch\n"), expected);
  EXPECT_EQ(hint("./run.sh: line 2: DATABASE_URL: unbound variable\n"), expected);
  EXPECT_EQ(hint("Error: DATABASE_URL is required\n"), expected);
  EXPECT_EQ(hint("Set the DATABASE_URL environment variable\n"), expected);
  EXPECT_EQ(hint("DATABASE_URL not found. Declare it as envvar or define a default value.\n"), expected);
  EXPECT_EQ(hint("Invalid environment variables: {\n  DATABASE_URL: [ 'Required' ]\n}\n"), expected);
  EXPECT_EQ(hint("  DATABASE_URL: [ 'Invalid input: expected string, received undefined' ]\n"), expected);
  EXPECT_EQ(hint(" Missing environment variables:\n    DATABASE_URL: (required)\n"), expected);
  EXPECT_EQ(hint("Config validation error: \"DATABASE_URL\" is required\n"), expected);
  variables_.insert("DATABASE_URL");
  EXPECT_EQ(hint("Error: DATABASE_URL is required\n"), "") << "it is set";
}

TEST_F(DiagnosisTest, TheLimitThatWasReachedIsNamed) {
  signal_ = "SIGKILL";
  EXPECT_THAT(hint("", std::nullopt), HasSubstr("not for a limit of its own"));
  signal_.clear();
  EXPECT_THAT(hint("", 137), HasSubstr("SIGKILL"));
  limits_.memory = 64'000'000;
  limits_.processes = 10;
  EXPECT_EQ(hint("MemoryError\n"),
            "it used up its memory limit of 64.0 MB: raise memory in [processes.web] of pushrod.toml, or [limits] "
            "instance_memory in "
            "server.toml");
  EXPECT_EQ(hint("MemoryError\n", 1, Stage::Build),
            "it used up its memory limit of 64.0 MB: raise [limits] build_memory in server.toml");
  EXPECT_THAT(hint("sh: 0: Cannot fork\n", 2), HasSubstr("limit of 10 processes and threads"));
  EXPECT_THAT(hint("FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n", 134),
              HasSubstr("64.0 MB"));
  limits_.memory.reset();
  EXPECT_THAT(hint("FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n", 134),
              HasSubstr("--max-old-space-size"));
  EXPECT_THAT(hint("", 159), HasSubstr("system call"));
}

TEST_F(DiagnosisTest, OfSeveralReasonsTheLastOneCounts) {
  EXPECT_THAT(hint("warning: redis: connect ECONNREFUSED 127.0.0.1:6379, goes on without\n"
                   "ModuleNotFoundError: No module named 'flask'\n[INFO] Worker exiting\n",
                   3),
              HasSubstr("flask"));
}

TEST_F(DiagnosisTest, AHintCannotSteerATerminal) {
  EXPECT_EQ(hint("Error: Cannot find module 'a\x1b[2Jb'\n").find('\x1b'), std::string::npos);
  EXPECT_EQ(hint("/bin/sh: 1: a\x1b]52;c;eA==\x07: not found\n", 127).find('\x1b'), std::string::npos);
}

TEST(LooksLikeError, KnowsReportsOfErrorsFromOtherLines) {
  for (const auto* line :
       {"npm ERR! code ELIFECYCLE", "src/app.ts(3,1): error TS2304: Cannot find name 'x'.", "ERROR in ./src/index.js",
        "fatal: not a git repository", "panic: runtime error: index out of range", "TypeError: x is not a function",
        "Exception in thread \"main\" java.lang.IllegalStateException", "ERROR:  Could not build wheels for x",
        "app.rb:3: syntax error, unexpected end-of-input", "E: Unable to locate package x",
        "make: *** [Makefile:3: all] Error 2", "bash: foo: command not found", "[error] could not start"}) {
    EXPECT_TRUE(looks_like_error(line)) << line;
  }
  for (const auto* line : {"added 120 packages in 3s", "npm WARN deprecated request@2.88.2: failed to maintain",
                           "0 errors, 0 warnings", "Compiled successfully", "GET /error-page.html",
                           "Successfully installed errorhandler-2.0", "found 0 failures"}) {
    EXPECT_FALSE(looks_like_error(line)) << line;
  }
}

std::vector<std::string> numbered(int first, int last) {
  std::vector<std::string> lines;
  for (int number = first; number <= last; ++number) lines.push_back(fmt::format("line {}", number));
  return lines;
}

TEST(Excerpt, AShortOutputIsShownWhole) {
  EXPECT_EQ(excerpt(numbered(1, 40)), numbered(1, 40));
  EXPECT_EQ(excerpt(numbered(1, 41)), numbered(1, 41)) << "a line that says that one is left out is no shorter";
  EXPECT_THAT(excerpt({}), IsEmpty());
}

TEST(Excerpt, ShowsTheFirstErrorAndTheLastLines) {
  auto output = numbered(1, 100);
  output[9] = "Error: first";
  output[19] = "Error: second";
  const auto shown = excerpt(output, 3);
  EXPECT_THAT(shown, ElementsAre("… 9 lines above …", "Error: first", "… 87 lines left out …", "line 98", "line 99",
                                 "line 100"));
  EXPECT_THAT(excerpt(numbered(1, 100), 2), ElementsAre("… 98 lines left out …", "line 99", "line 100"));
}

TEST_F(DiagnosisTest, PackagesThatAskForAnotherNodeAreNamedWhereNothingElseIsKnown) {
  EXPECT_THAT(hint("npm warn EBADENGINE   required: { node: '^22.19.0 || >=26.0.0' },\nTypeError: x", 1, Stage::Build),
              HasSubstr("packages of the app ask for Node.js ^22.19.0 || >=26.0.0"));
}

TEST_F(DiagnosisTest, ARegistryWhoseCertificateIsNotTrustedIsExplained) {
  EXPECT_THAT(hint("npm error code SELF_SIGNED_CERT_IN_CHAIN", 1, Stage::Build), HasSubstr("NODE_EXTRA_CA_CERTS = "));
}

TEST_F(DiagnosisTest, LockFilesThatDoNotFitAreNamedWithTheirTool) {
  EXPECT_EQ(
      hint(" ERR_PNPM_OUTDATED_LOCKFILE  Cannot install with \"frozen-lockfile\" because pnpm-lock.yaml is not up to "
           "date with <ROOT>/package.json"),
      "the lock file does not fit package.json: run `pnpm install`, and commit both files");
  EXPECT_THAT(hint("error Your lockfile needs to be updated, but yarn was run with `--frozen-lockfile`."),
              HasSubstr("run `yarn install`"));
  EXPECT_THAT(hint("➤ YN0028: │ The lockfile would have been modified by this install, which is explicitly forbidden."),
              HasSubstr("run `yarn install`"));
  EXPECT_THAT(hint("error: lockfile had changes, but lockfile is frozen"), HasSubstr("run `bun install`"));
  EXPECT_THAT(
      hint("error a@1.0.0: The engine \"node\" is incompatible with this module. Expected version \">=98\". Got "
           "\"20.20.2\""),
      HasSubstr("it needs Node.js >=98"));
}

}  // namespace
}  // namespace pushrod

namespace pushrod {
namespace {

TEST_F(DiagnosisTest, WhatBuildsOfEachLanguageFailWithIsExplained) {
  const auto built = [&](const std::string& output) { return hint(output, 1, Stage::Build); };
  EXPECT_THAT(built("npm error code ERESOLVE\nnpm error ERESOLVE unable to resolve dependency tree"),
              StartsWith("packages want different versions of a package"));
  EXPECT_THAT(built("Error: error:0308010C:digital envelope routines::unsupported\n  code: 'ERR_OSSL_EVP_UNSUPPORTED'"),
              HasSubstr("NODE_OPTIONS=--openssl-legacy-provider"));
  EXPECT_THAT(built("psycopg/pg.c:5:10: fatal error: libpq-fe.h: No such file or directory\ncompilation terminated."),
              HasSubstr("apt-get install libpq-dev"));
  EXPECT_THAT(built("/usr/include/libvips/x.h:1: fatal error: vips/vips8: No such file or directory"),
              HasSubstr("libvips-dev"));
  EXPECT_THAT(built("gyp ERR! stack Error: not found: make"), HasSubstr("apt-get install build-essential"));
  EXPECT_THAT(built("sh: 1: g++: not found"), HasSubstr("apt-get install build-essential"));
  EXPECT_THAT(built("fatal: could not read Username for 'https://github.com': terminal prompts disabled"),
              StartsWith("a dependency is in a git repository that the build may not read"));
  EXPECT_THAT(built("npm error code ECONNRESET"), StartsWith("a package registry did not answer"));
  EXPECT_THAT(built("Could not reach host index.example.com. Check your network connection and try again."),
              StartsWith("a package registry did not answer"));
  EXPECT_THAT(built("error: Multiple top-level packages discovered in a flat-layout: ['app', 'static']."),
              HasSubstr("[tool.setuptools]"));
  EXPECT_THAT(built("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE."),
              HasSubstr("lock the dependencies again"));
  EXPECT_THAT(built("npm ERR! code E401"), HasSubstr("NPM_TOKEN"));
  EXPECT_THAT(built("Killed"), HasSubstr("build_memory"));
  EXPECT_THAT(built("Your Ruby version is 3.1.2, but your Gemfile specified 3.3.0"), HasSubstr("Ruby 3.3.0"));
  EXPECT_THAT(built("go: errors parsing go.mod:\n/app/go.mod:3: invalid go version '1.22.0': must match format 1.23"),
              HasSubstr("Go 1.22.0"));
  EXPECT_THAT(built("error: package `clap v4` cannot be built because it requires rustc 1.74 or newer"),
              HasSubstr("Rust 1.74"));
  EXPECT_THAT(built("[ERROR] Fatal error compiling: error: release version 21 not supported"), HasSubstr("Java 21"));
  EXPECT_THAT(built("    - laravel/framework v11 requires ext-mbstring * -> it is missing"), HasSubstr("php-mbstring"));
  EXPECT_THAT(hint("Killed"), IsEmpty()) << "at run time, the kernel's word counts";
}

TEST(LooksTransient, AServerThatDidNotAnswerMayDoSoInAMoment) {
  EXPECT_TRUE(
      looks_transient("npm error network request to https://registry.npmjs.org/x failed, reason: read ECONNRESET"));
  EXPECT_TRUE(looks_transient("pip._vendor.urllib3.exceptions.ReadTimeoutError: Read timed out."));
  EXPECT_FALSE(looks_transient("npm error 404 Not Found - GET https://registry.npmjs.org/x"));
}

}  // namespace
}  // namespace pushrod
