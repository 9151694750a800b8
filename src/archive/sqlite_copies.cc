// Copies of SQLite's files.
#include "archive/sqlite_copies.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <fts.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "os/command.hh"
#include "os/files.hh"
#include "os/standard_output.hh"
#include "sandbox/sandbox.hh"

namespace pushrod {

namespace {

constexpr const char* kData = "/data";
constexpr const char* kCopies = "/copies";
constexpr std::string_view kMagic{"SQLite format 3\0", 16};
constexpr int kPatience = 30'000;  // milliseconds that a writer of the app may keep us waiting
constexpr std::chrono::hours kDeadline{6};

using Connection = std::unique_ptr<sqlite3, int (*)(sqlite3*)>;

Connection open(const std::string& path, int flags) {
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
  Connection connection(raw, sqlite3_close);
  if (code != SQLITE_OK) throw Error(sqlite3_errstr(code));
  sqlite3_busy_timeout(raw, kPatience);
  return connection;
}

// In one step, so that writers cannot make it begin again and again.
void copy_database(const std::string& from, const std::string& to) {
  const auto source = open(from, SQLITE_OPEN_READWRITE);
  const auto copy = open(to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  auto* backup = sqlite3_backup_init(copy.get(), "main", source.get(), "main");
  if (backup == nullptr) throw Error(sqlite3_errmsg(copy.get()));
  int code = SQLITE_BUSY;
  for (int waited = 0; (code == SQLITE_BUSY || code == SQLITE_LOCKED) && waited < kPatience; waited += 50) {
    code = sqlite3_backup_step(backup, -1);
    if (code == SQLITE_BUSY || code == SQLITE_LOCKED) sqlite3_sleep(50);
  }
  sqlite3_backup_finish(backup);
  if (code != SQLITE_DONE) throw Error(sqlite3_errstr(code));
}

bool is_database(const char* path) {
  const UniqueFd fd(::open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  char begin[kMagic.size()];
  return fd && read(fd.get(), begin, sizeof begin) == static_cast<ssize_t>(sizeof begin) &&
         std::string_view(begin, sizeof begin) == kMagic;
}

// For a list of lines, and for JSON.
bool is_fit(const std::string& path) { return path.find('\n') == path.npos && is_valid_utf8(path); }

// Calls with the path of each database below /data, and with the entry.
void for_each_database(const std::function<void(const std::string&, const struct stat&)>& work) {
  char root[] = "/data";
  char* roots[] = {root, nullptr};
  const std::unique_ptr<FTS, int (*)(FTS*)> walk(fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, nullptr), fts_close);
  if (!walk) throw_errno("looking through /data");
  while (const auto* entry = fts_read(walk.get())) {
    if (entry->fts_info != FTS_F || !S_ISREG(entry->fts_statp->st_mode)) continue;
    const std::string path = entry->fts_path;
    if (is_database(path.c_str()) && is_fit(path)) work(path, *entry->fts_statp);
  }
}

// "ok", or the first thing that is wrong.
std::string check_database(const std::string& path) {
  const auto connection = open(path, SQLITE_OPEN_READWRITE);
  std::string answer;
  const auto take = [](void* to, int, char** values, char**) {
    if (static_cast<std::string*>(to)->empty() && values[0] != nullptr) *static_cast<std::string*>(to) = values[0];
    return 0;
  };
  const int code = sqlite3_exec(connection.get(), "PRAGMA integrity_check(1)", take, &answer, nullptr);
  return code == SQLITE_OK ? answer : sqlite3_errmsg(connection.get());
}

Sandbox sandbox_for(const Layout& layout, const fs::path& data, const char* verb) {
  Sandbox sandbox;
  sandbox.host_name = "archive";
  sandbox.directory = "/";
  sandbox.etc = write_sandbox_etc(layout.sandbox_etc());
  sandbox.environment = {{"PATH", "/usr/bin:/bin"}, {"LANG", "C.UTF-8"}};
  // SQLite locks a database and, of one with a write-ahead log, writes beside it.
  sandbox.mounts = {{data, kData, true}, {own_program(), "/pushrod", false}};
  sandbox.argv = {"/pushrod", verb};
  return sandbox;
}

nlohmann::json answer_of(const Sandbox& sandbox) {
  auto command = sandbox_command(sandbox);
  command.deadline = kDeadline;
  auto answer = nlohmann::json::parse(run_checked(command), nullptr, false);
  if (!answer.is_object()) throw Error("the program that looks through SQLite's files gave no answer");
  return answer;
}

}  // namespace

int copy_sqlite_inside() {
  auto databases = nlohmann::json::array(), skipped = nlohmann::json::array();
  for_each_database([&](const std::string& path, const struct stat& status) {
    const auto relative = path.substr(std::string_view(kData).size() + 1);
    const auto copy = fs::path(kCopies) / relative;
    try {
      make_directory(copy.parent_path());
      copy_database(path, copy.string());
      chmod(copy.c_str(), status.st_mode & 07777);
      databases.push_back(relative);
    } catch (const Error& error) {
      remove_file(copy);
      skipped.push_back(fmt::format("{}: {}", relative, error.message()));
    }
  });
  print(nlohmann::json{{"databases", databases}, {"skipped", skipped}}.dump() + "\n");
  return 0;
}

int check_sqlite_inside() {
  std::size_t count = 0;
  auto broken = nlohmann::json::array();
  for_each_database([&](const std::string& path, const struct stat&) {
    ++count;
    std::string answer;
    try {
      answer = check_database(path);
    } catch (const Error& error) {
      answer = error.message();
    }
    if (answer != "ok") broken.push_back(fmt::format("{}: {}", path, answer));
  });
  print(nlohmann::json{{"count", count}, {"broken", broken}}.dump(-1, ' ', false,
                                                                  nlohmann::json::error_handler_t::replace) +
        "\n");
  return 0;
}

SqliteCopies copy_sqlite(const Layout& layout, const Transfer& transfer, const fs::path& data) {
  const auto copies = transfer.files() / "sqlite";
  make_directory(copies);
  auto sandbox = sandbox_for(layout, data, "copy-sqlite");
  sandbox.mounts.push_back({copies, kCopies, true});
  const auto answer = answer_of(sandbox);
  return {answer.at("databases").get<std::vector<std::string>>(), answer.at("skipped").get<std::vector<std::string>>()};
}

std::size_t check_sqlite(const Layout& layout, const fs::path& data) {
  const auto answer = answer_of(sandbox_for(layout, data, "check-sqlite"));
  const auto broken = answer.at("broken").get<std::vector<std::string>>();
  if (!broken.empty()) {
    throw UserError(fmt::format("{} of {} SQLite databases are damaged: {}", broken.size(),
                                answer.at("count").get<std::size_t>(), broken.front()),
                    "take an older backup; the app may have damaged it before it was backed up");
  }
  return answer.at("count").get<std::size_t>();
}

}  // namespace pushrod
