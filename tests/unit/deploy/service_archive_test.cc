// The backup of a service by itself: what is refused when it is read.
#include "deploy/service_archive.hh"

#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "os/files.hh"

namespace pushrod {
namespace {

using nlohmann::json;

class ServiceArchive : public testing::Test {
 protected:
  ServiceArchive() {
    make_directory(transfer_.files() / "services");
    for (const char* dump : {"1.dump", "2.dump"}) write_file(transfer_.files() / "services" / dump, "dump");
  }
  ~ServiceArchive() override { remove_tree(root_); }

  static json description() {
    return {{"format", "pushrod service"},
            {"version", 1},
            {"service", "main"},
            {"type", "postgres"},
            {"server", "15"},
            {"memory", 1U << 28},
            {"made_ms", 0},
            {"databases", {"shop", "A b"}}};
  }
  ArchivedServer read(const json& object) {
    write_file(transfer_.files() / "pushrod-service.json", object.dump());
    return read_service_archive(transfer_);
  }
  std::string refusal(const char* key, const json& value) {
    auto object = description();
    object[key] = value;
    try {
      read(object);
    } catch (const UserError& error) {
      return error.message();
    }
    return {};
  }

  fs::path root_ = mkdtemp(std::string("/tmp/archive.XXXXXX").data());
  Layout layout_{root_};
  Transfer transfer_{layout_};
};

TEST_F(ServiceArchive, NamesTheDumpOfEachDatabase) {
  const auto archive = read(description());
  EXPECT_EQ(archive.name, "main");
  EXPECT_EQ(archive.type, "postgres");
  EXPECT_EQ(archive.version, "15");
  const auto dumps = transfer_.files() / "services";
  EXPECT_EQ(archive.dumps, (DumpFiles{{"shop", dumps / "1.dump"}, {"A b", dumps / "2.dump"}}));
  EXPECT_EQ(archive.disk, 0U);
  for (const json& version : {json(3), json(0), json(-1), json("2")}) {
    EXPECT_EQ(refusal("version", version), "the backup of the service cannot be read by this Pushrod") << version;
  }
  EXPECT_EQ(refusal("format", "pushrod app"), "the backup of the service cannot be read by this Pushrod");
}

TEST_F(ServiceArchive, HasLimitsFromItsSecondVersionOn) {
  auto object = description();
  object["version"] = 2;
  object["disk"] = 1U << 30;
  object["cpu_percent"] = 50;
  EXPECT_EQ(read(object).disk, 1U << 30);
  EXPECT_EQ(read(object).cpu_percent, 50U);
}

TEST_F(ServiceArchive, IsRefusedWhenItIsDamaged) {
  const std::string damaged = "the backup is damaged: pushrod-service.json: ";
  for (const json& databases : {json{"a\"b"}, json{"a'b"}, json{"a\\b"}, json{"a\nb"}, json{std::string(65, 'a')}}) {
    EXPECT_EQ(refusal("databases", databases), damaged + "a name of a database") << databases;
  }
  EXPECT_EQ(refusal("databases", {"shop", "shop"}), damaged + "its databases");
  EXPECT_EQ(refusal("databases", {""}), damaged + "its databases");
  EXPECT_EQ(refusal("databases", {"a", "b", "c"}), damaged + "no services/3.dump");
  EXPECT_EQ(refusal("type", "redis"), damaged + "its databases");
  EXPECT_NE(refusal("type", "oracle"), "");
  EXPECT_NE(refusal("service", "../main"), "");
  EXPECT_NE(refusal("memory", "much"), "");
  write_file(transfer_.files() / "pushrod-service.json", "{");
  EXPECT_THROW(read_service_archive(transfer_), UserError);
}

TEST_F(ServiceArchive, OfAServerWithoutDatabasesHasOneDump) {
  auto object = description();
  object["type"] = "redis";
  object["databases"] = {""};
  EXPECT_EQ(read(object).dumps, (DumpFiles{{"", transfer_.files() / "services" / "1.dump"}}));
}

}  // namespace
}  // namespace pushrod
