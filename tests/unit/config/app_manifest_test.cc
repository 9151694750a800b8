// pushrod.toml, alone and beside a Procfile, parsed and loaded from a directory that a pusher has filled.
#include "config/app_manifest.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>

#include "fixtures.hh"

namespace pushrod {
namespace {

using namespace std::chrono_literals;

AppManifest manifest_of(const std::string& text) { return parse_manifest(text, "pushrod.toml"); }
std::string problem_of(const std::string& text) {
  return refusal([&] { manifest_of(text); });
}

TEST(Manifest, AnEmptyTextSaysNothing) {
  const AppManifest manifest = manifest_of("# nothing\n");
  EXPECT_TRUE(manifest.processes.empty());
  EXPECT_EQ(manifest.build_command, std::nullopt);
  EXPECT_EQ(manifest.release_command, std::nullopt);
}

TEST(Manifest, NamesWritablePathsRelativeToTheApp) {
  EXPECT_TRUE(manifest_of("").writable.empty());
  EXPECT_EQ(manifest_of("[app]\nwritable = true\n").writable, WritablePaths{"."});
  EXPECT_TRUE(manifest_of("[app]\nwritable = false\n").writable.empty());
  EXPECT_EQ(manifest_of("[app]\nwritable = [\"tmp/\", \"./.next//cache\", \"a, b:c\", \"...\"]\n").writable,
            (WritablePaths{"...", ".next/cache", "a, b:c", "tmp"}));
  EXPECT_EQ(manifest_of("[app]\nwritable = [\"tmp\", \".\"]\n").writable, WritablePaths{"."});
}

TEST(Manifest, RefusesWritablePathsThatAreNotInTheApp) {
  const auto problem = [](const std::string& value) { return problem_of("[app]\n\nwritable = " + value + "\n"); };
  EXPECT_EQ(problem("[\"/app/tmp\"]"),
            "pushrod.toml:3: \"writable\" in [app]: \"/app/tmp\" is an absolute path | write it relative to /app: "
            "\"tmp\"");
  for (const char* value : {"[\"/tmp\"]", "[\"a/../../b\"]", "[\"..\"]", "[\"\"]", "[\"tmp\", \"./tmp\"]", "\"tmp\"",
                            "[1]", "[\"a\\nb\"]", "1"}) {
    EXPECT_THAT(problem(value), testing::StartsWith("pushrod.toml:3: \"writable\" in [app]")) << value;
  }
}

TEST(Manifest, EveryKeySetsItsValue) {
  const AppManifest manifest = manifest_of(R"(
    [processes]
    worker = "python3 jobs.py"
    web = { command = "python3 app.py", count = 2, overlap = false, stop_timeout = "30s", drain_timeout = 60, health = { path = "/up?x=1", timeout = "500ms", settle = 0, watch = "2m" } }
    [build]
    command = """
make
make install"""
    [release]
    command = "./migrate"
  )");
  ASSERT_EQ(manifest.processes.size(), 2U);
  const Process& web = manifest.processes[0];
  EXPECT_EQ(web.type.str(), "web");
  EXPECT_EQ(web.command, "python3 app.py");
  EXPECT_EQ(web.count, 2U);
  EXPECT_FALSE(web.overlap);
  EXPECT_EQ(web.stop_timeout, 30s);
  EXPECT_EQ(web.drain_timeout, 60s);
  EXPECT_EQ(web.health.path, "/up?x=1");
  EXPECT_EQ(web.health.timeout, 500ms);
  EXPECT_EQ(web.health.settle, 0ms);
  EXPECT_EQ(web.health.watch, 2min);
  const Process& worker = manifest.processes[1];
  EXPECT_EQ(worker.command, "python3 jobs.py");
  EXPECT_EQ(worker.count, 1U);
  EXPECT_TRUE(worker.overlap);
  EXPECT_EQ(worker.stop_timeout, 10s);
  EXPECT_EQ(worker.health.settle, std::nullopt);
  EXPECT_EQ(worker.health.watch, std::nullopt);
  EXPECT_EQ(manifest.build_command, "make\nmake install");
  EXPECT_EQ(manifest.release_command, "./migrate");
}

TEST(Manifest, RequiresSettings) {
  const auto manifest = parse_manifest("[settings]\nrequired = [\"DATABASE_URL\", \"TOKEN\"]\n", "pushrod.toml");
  EXPECT_EQ(manifest.required_settings, (std::vector<std::string>{"DATABASE_URL", "TOKEN"}));
}

TEST(Manifest, ProcessesMayBeTables) {
  const AppManifest manifest = manifest_of("[processes.web]\ncommand = \"x\"\ncount = 0\nhealth.path = \"/\"\n");
  EXPECT_EQ(manifest.processes.front().count, 0U);
  EXPECT_EQ(manifest.processes.front().health.path, "/");
}

TEST(Manifest, LimitsWhatAnInstanceMayUse) {
  const Limits none = manifest_of("[processes.web]\ncommand = \"x\"\n").processes.front().limits;
  EXPECT_EQ(none, Limits{});
  const Limits limits = manifest_of(
                            "[processes.web]\ncommand = \"x\"\nmemory = \"256 MiB\"\ncpu = 0.5\nprocesses = 64\n"
                            "open_files = 1024\n")
                            .processes.front()
                            .limits;
  EXPECT_EQ(limits, (Limits{256U << 20, 50, 64, 1024}));
  EXPECT_EQ(manifest_of("[processes.web]\ncommand = \"x\"\ncpu = 2\n").processes.front().limits.cpu_percent, 200U);
}

struct Wrong {
  std::string text;
  std::string problem;
};

TEST(Manifest, SaysWhatRunsBeforeABackup) {
  EXPECT_EQ(parse_manifest("[backup]\nbefore = \"./dump\"\n", "pushrod.toml").backup_before, "./dump");
  EXPECT_FALSE(parse_manifest("", "pushrod.toml").backup_before);
  for (const auto* wrong :
       {"[backup]\n", "[backup]\nbefore = \"\"\n", "[backup]\nbefore = 1\n", "[backup]\nafter = \"x\"\n"}) {
    EXPECT_THROW(parse_manifest(wrong, "pushrod.toml"), UserError) << wrong;
  }
}

TEST(Manifest, SaysWhenRequestsWait) {
  const auto manifest = parse_manifest(
      "[processes.web]\ncommand = \"x\"\nsleep_after = \"30m\"\n[release]\ncommand = \"y\"\nhold = true\n",
      "pushrod.toml");
  EXPECT_EQ(manifest.processes.at(0).sleep_after, Milliseconds{30 * 60'000});
  EXPECT_TRUE(manifest.hold_for_release);
  const auto plain = parse_manifest("[processes.web]\ncommand = \"x\"\n[release]\ncommand = \"y\"\n", "pushrod.toml");
  EXPECT_FALSE(plain.processes.at(0).sleep_after);
  EXPECT_FALSE(plain.hold_for_release);
}

TEST(Manifest, SaysWhenASnapshotIsTaken) {
  const auto manifest = parse_manifest("[release]\ncommand = \"y\"\nsnapshot = true\n", "pushrod.toml");
  EXPECT_TRUE(manifest.snapshot_for_release);
  const auto of_procfile = parse_manifest("[release]\nsnapshot = true\n", "pushrod.toml");
  EXPECT_TRUE(of_procfile.snapshot_for_release && !of_procfile.release_command);
  EXPECT_FALSE(parse_manifest("[release]\ncommand = \"y\"\n", "pushrod.toml").snapshot_for_release);
  EXPECT_THROW(parse_manifest("[release]\nsnapshot = false\n", "pushrod.toml"), UserError);
  EXPECT_THROW(parse_manifest("[release]\nsnapshot = true\nsnap = 1\n", "pushrod.toml"), UserError);
}

TEST(Manifest, AWrongFileIsRefusedWithFileLineAndReason) {
  const std::string path_rule =
      " | begin it with \"/\", and write spaces, control characters, \"#\" and non-ASCII letters as %XX";
  const std::string time_form = "a time from 1ms to 1d, such as 30 (seconds), \"500ms\" or \"1m30s\"";
  const std::string web = "[processes.web]\ncommand = \"x\"\n";
  const Wrong cases[] = {
      {"[procesess]\n",
       "pushrod.toml:1: unknown section [procesess]; did you mean [processes]? | known keys: [processes], [build], "
       "[release], [settings], [app], [backup], [http], [services], [mounts], [[cron]]"},
      {"[processes.web]\ncomand = \"x\"\n",
       "pushrod.toml:2: unknown key \"comand\" in [processes.web]; did you mean \"command\"? | known keys: \"count\", "
       "\"overlap\", \"stop_timeout\", \"drain_timeout\", \"memory\", \"cpu\", \"processes\", \"open_files\", "
       "\"ports\", \"sleep_after\", \"health\", \"sticky\", \"protocol\", \"command\""},
      {web + "health = { pth = \"/\" }\n",
       "pushrod.toml:3: unknown key \"pth\" in [processes.web.health]; did you mean \"path\"? | known keys: "
       "\"timeout\", \"settle\", \"watch\", \"path\""},
      {"[build]\ncommand = \"x\"\nsteps = 3\n",
       "pushrod.toml:3: unknown key \"steps\" in [build] | known keys: \"root\", \"builder\", \"after\", \"network\", "
       "\"submodules\", \"buildpacks\", \"command\""},
      {"[settings]\nrequired = \"A\"\n",
       "pushrod.toml:2: \"required\" in [settings] must be a list of strings in quotes, not \"A\""},
      {"[settings]\nrequired = [\"A\", 1]\n",
       "pushrod.toml:2: \"required\" in [settings] must be a list of strings in quotes"},
      {"[settings]\nrequired = [\"PORT\"]\n",
       "pushrod.toml:2: \"required\" in [settings]: setting PORT is reserved: Pushrod sets it itself | choose another "
       "name"},
      {"[settings]\nA = \"1\"\n", "pushrod.toml:2: unknown key \"A\" in [settings] | known keys: \"required\""},
      {"[release]\n", "pushrod.toml:1: \"command\" in [release] is missing"},
      {"processes = \"x\"\n", "pushrod.toml:1: \"processes\" at the top level must be a table, not \"x\""},
      {"[processes]\nweb = 3\n", "pushrod.toml:2: \"web\" in [processes] must be a string in quotes, not 3"},
      {"[processes]\nweb = [\"x\"]\n", "pushrod.toml:2: \"web\" in [processes] must be a string in quotes, not a list"},
      {"[processes]\nweb = \" \"\n", "pushrod.toml:2: \"web\" in [processes] is empty"},
      {"[processes]\nWeb = \"x\"\n",
       "pushrod.toml:2: process type \"Web\" contains \"W\": use 1 to 30 characters of a-z, 0-9, '-' and '_', "
       "beginning "
       "with a letter"},
      {"[processes]\nrelease = \"x\"\n",
       "pushrod.toml:2: \"release\" cannot be a process type, because it does not stay up | write the release command "
       "as "
       "[release] command = \"…\""},
      {"[build]\ncommand = \"a\\u0000b\"\n", "pushrod.toml:2: \"command\" in [build] contains a NUL character"},
      {"[build]\ncommand = \"a\\u001bb\"\n",
       "pushrod.toml:2: \"command\" in [build] contains a control character: \"a\\x1bb\""},
      {web + "count = 65\n",
       "pushrod.toml:3: \"count\" in [processes.web] must be a whole number from 0 to 64, not 65"},
      {web + "count = \"2\"\n",
       "pushrod.toml:3: \"count\" in [processes.web] must be a whole number from 0 to 64, not \"2\""},
      {"[processes.worker]\ncommand = \"x\"\nsleep_after = \"1h\"\n",
       "pushrod.toml:3: \"sleep_after\" in [processes.worker]: only \"web\" can sleep, because requests wake it"},
      {"[processes.worker]\ncommand = \"x\"\nsticky = true\n",
       "pushrod.toml:3: \"sticky\" in [processes.worker]: only \"web\" has clients that can stay with an instance"},
      {web + "ports = [0]\n",
       "pushrod.toml:3: \"ports\" in [processes.web] must be a list of whole numbers from 1 to 65535"},
      {web + "ports = 9394\n",
       "pushrod.toml:3: \"ports\" in [processes.web] must be a list of whole numbers from 1 to 65535, not 9394"},
      {web + "ports = [9394, 9100, 9394]\n", "pushrod.toml:3: \"ports\" in [processes.web] names 9394 twice"},
      {web + "ports = [1, 2, 3, 4, 5, 6, 7, 8, 9]\n",
       "pushrod.toml:3: \"ports\" in [processes.web] lists more than 8 ports"},
      {web + "overlap = 0\n", "pushrod.toml:3: \"overlap\" in [processes.web] must be true or false, not 0"},
      {web + "memory = \"1M\"\n",
       "pushrod.toml:3: \"memory\" in [processes.web] must be a size from 8M to 16T, such as 1000000, \"64M\" or "
       "\"2G\", "
       "not \"1M\""},
      {web + "memory = \"256 MB\"\n",
       "pushrod.toml:3: \"memory\" in [processes.web] must be a size from 8M to 16T, such as 1000000, \"64M\" or "
       "\"2G\", "
       "not \"256 MB\""},
      {web + "cpu = \"half\"\n",
       "pushrod.toml:3: \"cpu\" in [processes.web] must be a number from 0.01 to 1024, not \"half\""},
      {web + "cpu = nan\n", "pushrod.toml:3: \"cpu\" in [processes.web] must be a number from 0.01 to 1024, not nan"},
      {web + "processes = 0\n",
       "pushrod.toml:3: \"processes\" in [processes.web] must be a whole number from 1 to 1000000, not 0"},
      {web + "open_files = 3\n",
       "pushrod.toml:3: \"open_files\" in [processes.web] must be a whole number from 16 to 1000000, not 3"},
      {web + "stop_timeout = 0\n",
       "pushrod.toml:3: \"stop_timeout\" in [processes.web] must be " + time_form + ", not 0"},
      {web + "drain_timeout = \"2d\"\n",
       "pushrod.toml:3: \"drain_timeout\" in [processes.web] must be " + time_form + ", not \"2d\""},
      {web + "health = { path = \"up\" }\n",
       "pushrod.toml:3: \"path\" in [processes.web.health] is not a request path: \"up\"" + path_rule},
      {web + "health = { path = \"/a b\" }\n",
       "pushrod.toml:3: \"path\" in [processes.web.health] is not a request path: \"/a b\"" + path_rule},
      {web + "health = { path = \"/\\r\\nX: y\" }\n",
       "pushrod.toml:3: \"path\" in [processes.web.health] is not a request path: \"/\\r\\nX: y\"" + path_rule},
      {"[processes.jobs]\ncommand = \"x\"\nhealth.path = \"/up\"\n",
       "pushrod.toml:3: \"path\" in [processes.jobs.health]: only \"web\" has a port that can be asked"},
      {"[build]\ncommand = \"x\"\ncommand = \"y\"\n",
       "pushrod.toml:3: Error while parsing key-value pair: cannot redefine existing string 'command'"},
      {"[build]\ncommand = \"x\xff\"\n", "pushrod.toml:2: not valid UTF-8 | save the file as UTF-8"},
      {"[build]\ncommand = \"x\n",
       "pushrod.toml:2: Error while parsing string: unescaped control characters other than "
       "TAB (U+0009) are explicitly prohibited"},
  };
  for (const Wrong& wrong : cases) EXPECT_EQ(problem_of(wrong.text), wrong.problem) << wrong.text;
}

class LoadManifest : public testing::Test {
 protected:
  AppManifest load(const std::string& path = "", const std::string& config = "") const {
    return load_manifest(path.empty() ? directory_.path() : directory_.path() / path, path, config);
  }
  std::string problem(const std::string& path = "", const std::string& config = "") const {
    return refusal([&] { load(path, config); });
  }
  ConfigDirectory directory_;
};

TEST_F(LoadManifest, NeitherFileNeedsToBeThere) { EXPECT_TRUE(load().processes.empty()); }

TEST_F(LoadManifest, ReadsEitherFile) {
  directory_.write("Procfile", "web: x\n");
  EXPECT_EQ(load().processes.front().command, "x");
  directory_.write("pushrod.toml", "[build]\ncommand = \"make\"\n");
  EXPECT_EQ(load().processes.front().command, "x");
  EXPECT_EQ(load().build_command, "make");
  std::filesystem::remove(directory_.path() / "Procfile");
  EXPECT_TRUE(load().processes.empty());
}

TEST_F(LoadManifest, ErrorsNameTheAppsPath) {
  directory_.write("services/api/Procfile", "web\n");
  EXPECT_EQ(problem("services/api"),
            "services/api/Procfile:1: expected \"name: command\", not \"web\" | for example: web: python3 "
            "app.py");
}

TEST_F(LoadManifest, TheSameProcessesInBothFilesAreOneTruth) {
  directory_.write("pushrod.toml", "[processes]\nworker = \"y\"\n[processes.web]\ncommand = \"x\"\ncount = 3\n");
  directory_.write("Procfile", "web: x\nworker: y\n");
  EXPECT_EQ(load().processes.front().count, 3U);
}

TEST_F(LoadManifest, DifferentProcessesInBothFilesAreRefused) {
  const std::string hint = " | name the processes in one place: remove Procfile or [processes]";
  directory_.write("pushrod.toml", "[processes]\nweb = \"x\"\n");
  directory_.write("Procfile", "web: x\nworker: y\n");
  EXPECT_EQ(problem(), "pushrod.toml and Procfile name different processes (web; web, worker)" + hint);
  directory_.write("Procfile", "web: z\n");
  EXPECT_EQ(problem(), "pushrod.toml and Procfile give \"web\" different commands (\"x\" and \"z\")" + hint);
}

TEST_F(LoadManifest, ATableWithoutACommandAddsToTheProcfile) {
  directory_.write("pushrod.toml", "[processes.console]\ncount = 0\n");
  directory_.write("Procfile", "web: x\nconsole: irb\nworker: y\n");
  const auto processes = load().processes;
  ASSERT_EQ(processes.size(), 3U);
  EXPECT_EQ(processes[0].type.str(), "console");
  EXPECT_EQ(processes[0].command, "irb");
  EXPECT_EQ(processes[0].count, 0U);
  EXPECT_EQ(processes[1].type.str(), "web");
  EXPECT_EQ(processes[1].count, 1U);

  directory_.write("pushrod.toml", "[processes.console]\ncount = 0\n[processes.web]\ncommand = \"z\"\n");
  EXPECT_TRUE(problem().starts_with("pushrod.toml and Procfile give \"web\" different commands")) << problem();
  directory_.write("pushrod.toml", "[processes.console]\ncount = 0\n[processes.other]\ncommand = \"z\"\n");
  EXPECT_TRUE(problem().starts_with("pushrod.toml and Procfile name different processes")) << problem();
  directory_.write("pushrod.toml", "[processes.consle]\ncount = 0\n");
  EXPECT_EQ(problem(),
            "[processes.consle] in pushrod.toml has no command, and Procfile has no line \"consle: …\"; did you mean "
            "\"console\"? | give the command in one of the two files");
  directory_.write("pushrod.toml", "[processes.console]\ncomand = \"z\"\n");
  EXPECT_NE(problem().find("unknown key \"comand\""), std::string::npos) << problem();
}

TEST_F(LoadManifest, WithoutAProcfileTheCommandIsLeftToTheBuilder) {
  directory_.write("pushrod.toml", "[processes.web]\ncount = 2\n");
  EXPECT_EQ(load().processes.front().command, "");
  EXPECT_EQ(load().processes.front().count, 2U);
}

TEST_F(LoadManifest, AProcfilesReleaseLineIsTheReleaseCommand) {
  directory_.write("Procfile", "release: ./migrate\nweb: x\n");
  EXPECT_EQ(load().release_command, "./migrate");
  EXPECT_EQ(load().processes.size(), 1U);
  directory_.write("pushrod.toml", "[processes]\nweb = \"x\"\n");
  EXPECT_EQ(load().release_command, "./migrate");
  directory_.write("pushrod.toml", "[release]\ncommand = \"./migrate\"\n");
  EXPECT_EQ(problem(),
            "pushrod.toml and Procfile both give a release command | remove [release] from pushrod.toml, or the line "
            "\"release\" from Procfile");
}

TEST_F(LoadManifest, OnlyAPlainFileIsRead) {
  const auto expected = [](const std::string& name, const std::string& kind) {
    return name + " is " + kind + ", not a regular file | replace " + name + " by a regular file, or remove it";
  };
  for (const std::string name : {"pushrod.toml", "Procfile"}) {
    const std::filesystem::path file = directory_.path() / name;
    directory_.write("target", "web: x\n");
    std::filesystem::create_symlink("target", file);
    EXPECT_EQ(problem(), expected(name, "a symbolic link"));
    std::filesystem::remove(file);
    std::filesystem::create_symlink("nowhere", file);
    EXPECT_EQ(problem(), expected(name, "a symbolic link"));
    std::filesystem::remove(file);
    std::filesystem::create_directory(file);
    EXPECT_EQ(problem(), expected(name, "a directory"));
    std::filesystem::remove(file);
    ASSERT_EQ(mkfifo(file.c_str(), 0600), 0);
    EXPECT_EQ(problem(), expected(name, "a named pipe"));
    std::filesystem::remove(file);
  }
}

TEST_F(LoadManifest, ALongFileIsRefused) {
  directory_.write("pushrod.toml", "");
  std::filesystem::resize_file(directory_.path() / "pushrod.toml", 50'000'000);
  EXPECT_EQ(problem(), "pushrod.toml is 50.0 MB long, and the limit is 262 kB");
  directory_.write("pushrod.toml", std::string(std::size_t{256} << 10, '\n'));
  EXPECT_EQ(problem(), "(nothing thrown)");
  directory_.write("pushrod.toml", std::string((std::size_t{256} << 10) + 1, '\n'));
  EXPECT_EQ(problem(), "pushrod.toml is 262 kB long, and the limit is 262 kB");
}

TEST_F(LoadManifest, TheAppsPathIsADirectoryOfTheCommitItself) {
  const auto expected = [](const std::string& path) {
    return "the commit has no directory \"" + path +
           "\" (a symbolic link does not count) | push a commit that has it, or give the app another --path";
  };
  directory_.write("real/api/Procfile", "web: x\n");
  std::filesystem::create_symlink("real", directory_.path() / "services");
  std::filesystem::create_symlink("api", directory_.path() / "real/link");
  EXPECT_EQ(problem("real/api"), "(nothing thrown)");
  EXPECT_EQ(problem("services/api"), expected("services/api"));
  EXPECT_EQ(problem("real/link"), expected("real/link"));
  EXPECT_EQ(problem("real/none"), expected("real/none"));
  EXPECT_EQ(problem("real/api/Procfile"), expected("real/api/Procfile"));
}

TEST_F(LoadManifest, AChosenFileIsReadInsteadOfPushrodToml) {
  directory_.write("api/pushrod.toml", "[processes]\nweb = \"theirs\"\n");
  directory_.write("api/Procfile", "web: theirs\nworker: work\n");
  directory_.write("deploy/api.toml", "[processes]\nweb = \"mine\"\n");
  ASSERT_EQ(load("api", "deploy/api.toml").processes.size(), 1U) << "the Procfile is of other apps";
  EXPECT_EQ(load("api", "deploy/api.toml").processes.front().command, "mine");
  directory_.write("deploy/api.toml", "[build]\ncommand = \"make\"\n");
  EXPECT_EQ(load("api", "deploy/api.toml").processes.size(), 2U) << "it leaves the processes to the Procfile";
  directory_.write("deploy/api.toml", "[build]\ncomand = \"make\"\n");
  EXPECT_TRUE(problem("api", "deploy/api.toml").starts_with("deploy/api.toml:2: "));
}

TEST_F(LoadManifest, AChosenFileMustBeThere) {
  const auto missing = [](const std::string& name) {
    return "the commit has no file \"" + name +
           "\", the manifest of the app (--config) | push a commit that has it (the path starts at the root of "
           "the repo), or choose another file";
  };
  directory_.write("real/web.toml", "");
  std::filesystem::create_symlink("real", directory_.path() / "link");
  std::filesystem::create_symlink("real/web.toml", directory_.path() / "web.toml");
  EXPECT_EQ(problem("", "real/web.toml"), "(nothing thrown)");
  EXPECT_EQ(problem("", "none.toml"), missing("none.toml"));
  EXPECT_EQ(problem("real", "none/web.toml"), missing("none/web.toml"));
  EXPECT_EQ(problem("", "link/web.toml"), missing("link/web.toml"));
  EXPECT_TRUE(problem("", "web.toml").starts_with("web.toml is a symbolic link, not a regular file"));
}

}  // namespace
}  // namespace pushrod
