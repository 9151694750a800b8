// What is backed up together with everything, and which schedule counts.
#include "deploy/backup.hh"

#include <gmock/gmock.h>

#include "world.hh"

namespace pushrod {
namespace {

class Backups : public DeployTest {
 protected:
  BackingService add(const std::string& name, const std::string& type, ServiceState state = ServiceState::Running) {
    const auto service =
        store().add_service({.name = ServiceName::parse(name), .type = type, .version = "1", .memory = 1});
    store().set_service_state(service.id, state);
    return service;
  }
  std::string schedule(const BackupSubject& of) {
    const auto found = schedule_of(store(), of);
    return found ? found->schedule : "none";
  }
};

TEST_F(Backups, ServicesWithoutAnAppThatKeepSomethingAreBackedUpByThemselves) {
  add("lone", "postgres");
  add("stopped", "redis", ServiceState::Stopped);
  add("empty", "memcached");
  add("scratch-1", "postgres", ServiceState::Creating);
  add("going", "postgres", ServiceState::Destroying);
  const auto used = add("used", "postgres");
  store().set_attachment({.service = used.id, .app_id = add_app("shop").id, .state = AttachmentState::Attached});
  std::vector<std::string> names;
  for (const auto& service : services_by_themselves(store())) names.push_back(service.name.str());
  EXPECT_THAT(names, testing::ElementsAre("lone", "stopped"));
}

TEST_F(Backups, TheScheduleOfAllIsNotForServicesOfApps) {
  const auto lone = BackupSubject::of(add("lone", "postgres").name);
  const auto used = add("used", "postgres");
  const auto shop = add_app("shop");
  store().set_attachment({.service = used.id, .app_id = shop.id, .state = AttachmentState::Attached});
  store().add_backup_target({"disk", "/backup", "sealed", now()});
  EXPECT_EQ(schedule(lone), "none");
  store().set_backup_schedule({{}, "disk", "@daily", {}, now()});
  EXPECT_EQ(schedule(lone), "@daily");
  EXPECT_EQ(schedule(BackupSubject::of(shop.name)), "@daily");
  EXPECT_EQ(schedule(BackupSubject::of(used.name)), "none");
  EXPECT_EQ(schedule(BackupSubject::of(ServiceName::parse("gone"))), "none");
  store().set_backup_schedule({BackupSubject::of(used.name), "disk", "@weekly", {}, now()});
  EXPECT_EQ(schedule(BackupSubject::of(used.name)), "@weekly");
}

}  // namespace
}  // namespace pushrod
