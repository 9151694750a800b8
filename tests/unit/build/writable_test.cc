// From the paths that an app or its framework wants to write to, to directories of its tree.
#include "build/writable.hh"

#include <gmock/gmock.h>

#include "base/error.hh"
#include "os/files.hh"
#include "test_tree.hh"

namespace pushrod {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class PrepareWritable : public testing::Test {
 protected:
  WritablePaths prepared(const WritablePaths& named, const WritablePaths& known = {}) const {
    return prepare_writable({tree.path(), path}, named, known);
  }
  std::string refused(const std::string& named) const {
    return refusal<UserError>([&] { prepared({named}); });
  }
  bool has_directory(const std::string& name) const { return is_directory(tree.path() / name); }

  TestTree tree;
  std::string path;  // of the app's directory in the tree
};

TEST_F(PrepareWritable, TakesPathsRelativeToTheAppWithinItsBuildRoot) {
  fs::create_directories(tree.path() / "apps/web");
  path = "apps/web";
  tree.link("apps/web/log", "../../log");
  EXPECT_THAT(prepared({"tmp", "log"}, {".next"}), ElementsAre("apps/web/.next", "apps/web/tmp", "log"));
  EXPECT_THAT(prepared({"db.sqlite3"}), ElementsAre("apps/web"));
  EXPECT_THAT(prepared({"."}), ElementsAre("."));
}

TEST_F(PrepareWritable, MakesWhatIsMissingAndLeavesOutWhatLiesInAnother) {
  tree.write("log/.keep", "");
  EXPECT_THAT(prepared({"log", "log/deep", "logs", "tmp/cache/x"}, {"tmp/cache", ".next"}),
              ElementsAre(".next", "log", "logs", "tmp/cache"));
  for (const char* name : {"log/deep", "logs", "tmp/cache/x", ".next"}) EXPECT_TRUE(has_directory(name)) << name;
  EXPECT_THAT(prepared({"log"}, {"."}), ElementsAre("."));
  EXPECT_THAT(prepared({}), ElementsAre());
}

TEST_F(PrepareWritable, OfAFileTakesItsDirectory) {
  tree.write("db/notes", "");
  tree.write("app.py", "");
  EXPECT_THAT(prepared({"db/notes"}), ElementsAre("db"));
  EXPECT_THAT(prepared({"app.py"}), ElementsAre("."));
  // So does what is not there and looks like a file.
  EXPECT_THAT(prepared({"data/site.sqlite3"}), ElementsAre("data"));
  EXPECT_FALSE(has_directory("data/site.sqlite3"));
  EXPECT_THAT(prepared({"db.sqlite3"}), ElementsAre("."));
  EXPECT_THAT(prepared({"v1.2/.cache"}), ElementsAre("v1.2/.cache"));
  EXPECT_THAT(refused("app.py/x"), HasSubstr("\"app.py/x\" leads through \"app.py\", which is a file"));
}

TEST_F(PrepareWritable, FollowsSymlinksWithinTheAppOnly) {
  fs::create_directories(tree.path() / "shared");
  fs::create_directories(tree.path() / "a/b");
  tree.link("log", "shared/log");
  tree.link("a/b/up", "../../shared");
  tree.link("inside", "/app/shared/./x");
  tree.link("kept", "/data/uploads");
  tree.link("volatile", "/tmp");
  tree.link("outside", "../../..");
  tree.link("etc", "/etc");
  tree.link("tricky", "/data/../etc");
  tree.link("circle", "circle");
  EXPECT_THAT(prepared({"log"}), ElementsAre("shared/log"));
  EXPECT_THAT(prepared({"a/b/up/y"}), ElementsAre("shared/y"));
  EXPECT_THAT(prepared({"inside"}), ElementsAre("shared/x"));
  EXPECT_THAT(prepared({"kept", "volatile/x"}), ElementsAre());
  EXPECT_THAT(refused("outside/x"), HasSubstr("leads out of the app's directory"));
  EXPECT_THAT(refused("etc/x"), HasSubstr("is a symlink to \"/etc\", which is not a part of the app"));
  EXPECT_THAT(refused("tricky"), HasSubstr("which is not a part of the app"));
  EXPECT_THAT(refused("circle"), HasSubstr("in a circle"));
  // What a framework would like and the app has arranged otherwise is no mistake.
  EXPECT_THAT(prepared({}, {"etc", "log"}), ElementsAre("shared/log"));
}

Process process(const std::string& command) {
  return {.type = ProcessType::parse("web"), .command = command, .health = {}};
}

class KnownWritable : public testing::Test {
 protected:
  WritablePaths known(const std::string& command = "npm start") const {
    return known_writable(tree.path(), {process(command)});
  }
  TestTree tree;
};

TEST_F(KnownWritable, IsNothingForMostApps) {
  tree.write("package.json", R"({"dependencies": {"express": "4", "vite": "5"}, "scripts": {"start": "node a.js"}})");
  tree.write("app.py", "import sqlite3\n");
  EXPECT_THAT(known(), ElementsAre());
}

TEST_F(KnownWritable, FollowsPackageJson) {
  tree.write("package.json", R"({"dependencies": {"next": "14"}, "scripts": {"start": "next start"}})");
  EXPECT_THAT(known(), ElementsAre(".next"));
  EXPECT_THAT(known("node server.js"), ElementsAre(".next"));
}

TEST_F(KnownWritable, FollowsThePrograms) {
  tree.write("package.json",
             R"({"scripts": {"start": "npm run serve", "serve": "NODE_OPTIONS=x ./node_modules/.bin/vite preview",
                             "other": "nx serve"}})");
  EXPECT_THAT(known(), ElementsAre("."));
  EXPECT_THAT(known("node server.js"), ElementsAre());
  EXPECT_THAT(known("npx nx serve api"), testing::Contains(".nx"));
}

TEST_F(KnownWritable, ReadsOnlyPlainFilesThatMakeSense) {
  tree.link("package.json", "/etc/passwd");
  EXPECT_THAT(known(), ElementsAre());
  fs::remove(tree.path() / "package.json");
  tree.write("package.json", "{\"dependencies\": [1e999], ");
  EXPECT_THAT(known(), ElementsAre());
  tree.write("package.json", "{\"dependencies\": 7, \"scripts\": []}");
  EXPECT_THAT(known(), ElementsAre());
}

TEST_F(KnownWritable, IsAllOfAppForADatabaseOfSqliteBesidePythonCode) {
  tree.write("manage.py", "");
  tree.write("site/settings/base.py", "'ENGINE': 'django.db.backends.sqlite3',\n");
  EXPECT_THAT(known("gunicorn site.wsgi"), ElementsAre("."));
  fs::remove_all(tree.path() / "site");
  EXPECT_THAT(known("gunicorn site.wsgi"), ElementsAre());
  tree.write("config.py", "URL = 'sqlite:///' + path\n");
  EXPECT_THAT(known("gunicorn site.wsgi"), ElementsAre("."));
}

TEST_F(KnownWritable, IsTheInstanceDirectoryOfFlask) {
  tree.write("requirements.txt", "flask\n");
  tree.write("shop/__init__.py", "    os.makedirs(app.instance_path)\n");
  EXPECT_THAT(known("gunicorn shop"), ElementsAre("instance"));
  EXPECT_FALSE(has_database_beside_code(tree.path()));
  tree.write("shop/db.py", "'sqlite:///x'\n");
  EXPECT_THAT(known("gunicorn shop"), ElementsAre("."));
  EXPECT_TRUE(has_database_beside_code(tree.path()));
  tree.write("shop/db.py", "os.environ.get('DATABASE_URL', 'sqlite:///x')\n");
  EXPECT_THAT(known("gunicorn shop"), ElementsAre("."));
  EXPECT_FALSE(has_database_beside_code(tree.path()));
}

TEST_F(KnownWritable, IsAllOfAppForPackagesOfNodeThatKeepFiles) {
  tree.write("package.json", R"({"dependencies": {"multer": "1"}})");
  EXPECT_THAT(known(), ElementsAre("."));
  tree.write("index.js", "link('site.db')\n");
  EXPECT_FALSE(has_database_beside_code(tree.path()));
  tree.write("package.json", R"({"dependencies": {"better-sqlite3": "11"}})");
  EXPECT_THAT(known(), ElementsAre("."));
  EXPECT_TRUE(has_database_beside_code(tree.path()));
  for (const char* told : {"process.env.DB || 'site.db'", "new Database('/data/site.db')"}) {
    tree.write("index.js", told);
    EXPECT_FALSE(has_database_beside_code(tree.path())) << told;
  }
  tree.write("src/db/index.ts", "new Database(\"site.sqlite3\")\n");
  EXPECT_TRUE(has_database_beside_code(tree.path()));
  tree.write("src/place.js", "directory = process.env.DATA_DIR || './data'");
  EXPECT_FALSE(has_database_beside_code(tree.path()));
}

TEST_F(KnownWritable, IsAllOfAppForASqliteFileOfPrisma) {
  tree.write("package.json", R"({"dependencies": {"@prisma/client": "5"}})");
  tree.write("prisma/schema.prisma", "provider = \"postgresql\"\nurl = env(\"DATABASE_URL\")\n");
  EXPECT_THAT(known(), ElementsAre());
  tree.write("prisma/schema.prisma", "provider = \"sqlite\"\nurl = env(\"DATABASE_URL\")\n");
  EXPECT_THAT(known(), ElementsAre("."));
  EXPECT_FALSE(has_database_beside_code(tree.path()));
  tree.write("prisma/schema.prisma", "provider = \"sqlite\"\nurl = \"file:./dev.db\"\n");
  EXPECT_TRUE(has_database_beside_code(tree.path()));
}

TEST_F(KnownWritable, IsAllOfAppForCodeOfNodeThatWritesFiles) {
  const auto writes = [&](const std::string& command = "npm start") {
    return code_that_writes(tree.path(), {process(command)});
  };
  tree.write("package.json", "{}");
  tree.write("server.js", "const text = fs.readFileSync('a')\n");
  tree.write("scripts/seed.js", "fs.writeFileSync('a')\n");
  tree.write("vite.config.js", "fs.writeFileSync('a')\n");
  tree.write("dist/index.js", "fs.writeFileSync('a')\n");
  EXPECT_THAT(known(), ElementsAre());
  EXPECT_EQ(writes(), "");
  for (const char* call : {"fs.writeFileSync('a', x)", "new winston.transports.File({})",
                           "await mkdir(d); fs.mkdirSync(d)", "new DatabaseSync('a')"}) {
    tree.write("src/lib/store/disk.ts", call);
    EXPECT_THAT(known(), ElementsAre(".")) << call;
    EXPECT_EQ(writes(), "src/lib/store/disk.ts") << call;
  }
  EXPECT_THAT(known("gunicorn app:app"), ElementsAre()) << "its scripts only build";
  for (const char* place : {"path.join(os.tmpdir(), 'a')", "process.env.UPLOAD_DIR ?? 'uploads'", "\"/tmp/a\""}) {
    tree.write("src/lib/store/disk.ts", std::string("fs.writeFileSync('a')\n") + place);
    EXPECT_THAT(known(), ElementsAre(".")) << place;
    EXPECT_EQ(writes(), "") << place;
  }
  tree.write("src/lib/store/disk.ts", "fs.writeFileSync(process.env.DATA_DIR + '/a')\n");
  EXPECT_THAT(known(), ElementsAre());
}

TEST_F(KnownWritable, IsTmpLogAndStorageForRails) {
  tree.write("config/application.rb", "module Shop\n  class Application < Rails::Application\n");
  EXPECT_THAT(known("bin/rails server"), ElementsAre("log", "storage", "tmp"));
  tree.write("config/database.yml", "adapter: sqlite3\n");
  EXPECT_THAT(known("bin/rails server"), ElementsAre("db", "log", "storage", "tmp"));
}

}  // namespace
}  // namespace pushrod
