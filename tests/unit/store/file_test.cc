// The database file: how it comes to be, who may open it, and what is said when it cannot be used.
#include <SQLiteCpp/SQLiteCpp.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "fixture.hh"
#include "os/unique_fd.hh"
#include "store/database_error.hh"

namespace pushrod {
namespace {

class StoreFile : public StoreTest {
 protected:
  void raw(const std::string& sql) {
    SQLite::Database database(file().string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    database.exec(sql);
  }
  std::string refusal() {
    try {
      const Store opened(file());
    } catch (const Error& error) {
      EXPECT_FALSE(error.hint().empty()) << error.message();
      EXPECT_NE(error.message().find(file().string()), std::string::npos) << error.message();
      return error.message();
    }
    return "opened";
  }
};

TEST_F(StoreFile, IsForItsOwnerOnlyWithAnyUmask) {
  const mode_t before = umask(0);
  add_app("blog");
  umask(before);
  for (const char* name : {"pushrod.db", "pushrod.db-journal"}) {
    struct stat status {};
    ASSERT_EQ(stat((directory_ / name).c_str(), &status), 0) << name;
    EXPECT_EQ(status.st_mode & 07777, 0600u) << name;
  }
}

TEST_F(StoreFile, IsNotWrittenWhenAnUpToDateOneIsOpenedAndRead) {
  add_app("blog");
  close();
  const auto before = read_file(file());
  const auto journal_before = read_file(directory_ / "pushrod.db-journal");
  const auto time_before = std::filesystem::last_write_time(file());

  SQLite::Database writer(file().string(), SQLite::OPEN_READWRITE);
  writer.exec("BEGIN IMMEDIATE");  // a writer at work does not stop readers
  const pid_t reader = in_child([&] {
    const Store other(file(), Milliseconds{0});
    if (other.apps().size() != 1) throw Error("saw something else");
  });
  EXPECT_EQ(ended(reader), 0);
  writer.exec("ROLLBACK");

  EXPECT_EQ(read_file(file()), before);
  EXPECT_EQ(read_file(directory_ / "pushrod.db-journal"), journal_before);
  EXPECT_EQ(std::filesystem::last_write_time(file()), time_before);
}

TEST_F(StoreFile, IsCreatedOnceByManyAtTheSameTime) {
  for (int round = 0; round < 5; ++round) {
    std::vector<pid_t> children;
    for (int i = 0; i < 6; ++i)
      children.push_back(in_child([&] {
        Store(file()).add_app(app_name("blog" + std::to_string(getpid())),
                              {RepoName::parse("site"), BranchName::parse("main")});
      }));
    for (const pid_t child : children) EXPECT_EQ(ended(child), 0);
    EXPECT_EQ(store().apps().size(), 6u);
    EXPECT_EQ(store().integrity(), "ok");
    close();
    std::filesystem::remove(file());
    std::filesystem::remove(directory_ / "pushrod.db-journal");
  }
}

TEST_F(StoreFile, OfANewerPushrodIsRefused) {
  store();
  close();
  raw("PRAGMA user_version = 99");
  const auto before = read_file(file());
  try {
    const Store opened(file());
    FAIL() << "opened";
  } catch (const UserError& error) {
    EXPECT_NE(error.message().find("newer Pushrod (schema 99; this one knows"), std::string::npos) << error.message();
    EXPECT_FALSE(error.hint().empty());
  }
  EXPECT_EQ(read_file(file()), before);
}

TEST_F(StoreFile, OfAnotherProgramIsRefused) {
  raw("CREATE TABLE songs (title)");
  EXPECT_NE(refusal().find("not Pushrod's"), std::string::npos);
  raw("PRAGMA user_version = 1");
  EXPECT_NE(refusal().find("not Pushrod's"), std::string::npos);
}

TEST_F(StoreFile, ThatIsDamagedIsNamed) {
  write_file(file(), std::string(8192, 'x'));
  EXPECT_NE(refusal().find("is damaged"), std::string::npos);

  std::filesystem::remove(file());
  add_app("blog");
  EXPECT_EQ(store().integrity(), "ok");
  close();
  const std::string good = read_file(file()).value();
  const auto damage_page = [&](int page) {
    std::string bytes = good;
    std::fill_n(bytes.begin() + 4096 * (page - 1), 4096, '\xA5');
    write_file(file(), bytes);
  };
  int root_of_apps = 0;
  {
    SQLite::Database database(file().string());
    root_of_apps = database.execAndGet("SELECT rootpage FROM sqlite_schema WHERE name = 'apps'").getInt();
  }
  damage_page(1);
  EXPECT_NE(refusal().find("is damaged"), std::string::npos);
  damage_page(root_of_apps);  // it opens, and the check tells
  EXPECT_THROW(store().apps(), Error);
  EXPECT_NE(store().integrity(), "ok");
}

TEST_F(StoreFile, InAMissingDirectoryIsAnError) {
  EXPECT_THROW(Store(directory_ / "no" / "pushrod.db"), Error);
  std::filesystem::create_directory(file());
  EXPECT_NE(refusal(), "opened");
}

// Somebody looked at it with another program and switched to the write-ahead log, which this SQLite cannot be trusted
// with.
TEST_F(StoreFile, IsTakenBackFromTheWriteAheadLog) {
  add_app("blog");
  close();
  raw("PRAGMA journal_mode = WAL");
  EXPECT_EQ(store().apps().size(), 1u);
  EXPECT_FALSE(std::filesystem::exists(file().string() + "-wal"));
}

TEST_F(StoreFile, ThatIsBusyTellsWhoHoldsIt) {
  store();
  close();
  Pipe ready = make_pipe();
  Pipe done = make_pipe();
  const pid_t holder = in_child([&] {
    done.write_end.reset();
    SQLite::Database database(file().string(), SQLite::OPEN_READWRITE);
    database.exec("BEGIN IMMEDIATE");
    write_all(ready.write_end.get(), "x", "say that it is held");
    char byte = 0;
    while (read(done.read_end.get(), &byte, 1) > 0) continue;
  });
  char byte = 0;
  ASSERT_EQ(read(ready.read_end.get(), &byte, 1), 1);

  Store impatient(file(), Milliseconds{40});
  try {
    impatient.add_app(app_name("blog"), {RepoName::parse("blog"), BranchName::parse("main")});
    ADD_FAILURE() << "nobody held it";
  } catch (const Error& error) {
    EXPECT_NE(error.message().find(file().string() + "\" was busy for 0.04 s, used by pid " + std::to_string(holder)),
              std::string::npos)
        << error.message();
    EXPECT_FALSE(error.hint().empty());
  }
  done.write_end.reset();
  EXPECT_EQ(ended(holder), 0);
  impatient.add_app(app_name("blog"), {RepoName::parse("blog"), BranchName::parse("main")});
  EXPECT_EQ(impatient.apps().size(), 1u);
}

TEST_F(StoreFile, ThatIsReadOnlyCanBeReadButSaysSoOnAWrite) {
  add_app("blog");
  close();
  chmod(file().c_str(), 0444);
  chmod((directory_ / "pushrod.db-journal").c_str(), 0444);
  chmod(directory_.c_str(), 0555);
  const pid_t child = in_child([&] {
    if (geteuid() == 0 && setuid(65534) != 0) throw Error("cannot become an ordinary user");
    Store other(file());
    if (other.apps().size() != 1) throw Error("cannot read it");
    try {
      other.remove_app(1);
    } catch (const Error& error) {
      if (error.message().find("cannot write to the database") == 0 && !error.hint().empty()) return;
      throw;
    }
    throw Error("wrote to it");
  });
  EXPECT_EQ(ended(child), 0);
  chmod(directory_.c_str(), 0755);
}

TEST_F(StoreFile, KeepsWhatItHadWhenAWriteFails) {
  add_app("blog");
  close();
  const pid_t child = in_child([&] {
    Store other(file());
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{400'000, 400'000};  // beyond it every write fails
    setrlimit(RLIMIT_FSIZE, &limit);
    try {
      for (int i = 0; i < 10'000; ++i) {
        other.add_app(app_name("app" + std::to_string(i)), {RepoName::parse("site"), BranchName::parse("main")});
      }
    } catch (const Error& error) {
      if (error.message().find("database \"") == std::string::npos || error.hint().empty()) throw;
      // The connection itself goes on.
      other.apps();
      return;
    }
    throw Error("every write succeeded");
  });
  EXPECT_EQ(ended(child), 0);
  EXPECT_EQ(store().integrity(), "ok");
  EXPECT_TRUE(store().app(app_name("blog")));
  add_app("shop");
}

TEST(DatabaseErrors, SayWhatToDo) {
  for (const int code : {SQLITE_BUSY, SQLITE_LOCKED, SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_READONLY_DIRECTORY,
                         SQLITE_CANTOPEN, SQLITE_FULL, SQLITE_IOERR_FSYNC}) {
    const Error error = database_error("/no/such/pushrod.db", Milliseconds{30'000}, code, "evil\ntext");
    EXPECT_NE(error.message().find("\"/no/such/pushrod.db\""), std::string::npos) << error.message();
    EXPECT_EQ(error.message().find('\n'), std::string::npos) << error.message();
    EXPECT_FALSE(error.hint().empty()) << code;
  }
}

}  // namespace
}  // namespace pushrod
