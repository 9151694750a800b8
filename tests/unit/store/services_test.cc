// Services and attachments in the database.
#include <gmock/gmock.h>

#include "fixture.hh"

namespace pushrod {
namespace {

using testing::ElementsAre;

class ServicesTest : public StoreTest {
 protected:
  ServicesTest() : app_(add_app("shop")) {}
  BackingService add(const std::string& name) {
    BackingService service{.name = ServiceName::parse(name), .type = "postgres", .version = "15", .memory = 1 << 28};
    service.sealed_password = store().vault().seal_service_password(service.name, Secret("pw"));
    return store().add_service(service);
  }
  ServiceAttachment attach(const BackingService& service, std::int64_t group) {
    ServiceAttachment attachment{.service = service.id, .app_id = app_.id, .app = "shop", .prefix = "DATABASE"};
    attachment.group = group;
    store().set_attachment(attachment);
    return attachment;
  }
  // Commits a deployment that gives the app a setting of this service (0: none).
  void deploy_with(ServiceId service) {
    const auto name = SettingName::parse("DATABASE_URL");
    AppSettings settings;
    if (service != 0) settings[name] = {store().vault().seal(app_.id, name, Secret("url")), true, service};
    store().set_settings(app_.id, settings);
    const auto deployment = deploy({app_}).front();
    store().follow_attachments(deployment.group);
  }
  App app_;
};

TEST_F(ServicesTest, AServiceIsKeptAsItWasMade) {
  const auto made = add("db");
  close();
  const auto read = store().service(ServiceName::parse("db")).value();
  EXPECT_EQ(read.id, made.id);
  EXPECT_EQ(read.state, ServiceState::Creating);
  EXPECT_EQ(read.memory, 1u << 28);
  EXPECT_EQ(store().vault().open_service_password(read.name, read.sealed_password).reveal(), "pw");
  EXPECT_THROW(store().vault().open_service_password(ServiceName::parse("other"), read.sealed_password), UserError);
}

TEST_F(ServicesTest, ANameIsTakenOnce) {
  add("db");
  EXPECT_THROW(add("db"), UserError);
}

TEST_F(ServicesTest, AnAttachmentFollowsTheSettingsThatACommitLeaves) {
  const auto service = add("db");
  attach(service, 1);
  deploy_with(service.id);
  EXPECT_EQ(store().attachments_to(service.id).front().state, AttachmentState::Attached);
  EXPECT_EQ(store().attachments_to(service.id).front().group, std::nullopt);
  deploy_with(0);
  EXPECT_EQ(store().attachments_of(app_.id).front().state, AttachmentState::Leaving);
}

TEST_F(ServicesTest, APortIsLeasedToOneAttachmentAndToNoInstance) {
  const auto is_free = [](Port) { return true; };
  auto first = attach(add("db"), 1), second = attach(add("other"), 1);
  store().set_attachment_with_port(first, 20'000, 20'001, is_free);
  store().set_attachment_with_port(second, 20'000, 20'001, is_free);
  EXPECT_EQ(store().attachments_to(first.service).front().port, Port{20'000});
  EXPECT_EQ(store().attachments_to(second.service).front().port, Port{20'001});
  EXPECT_THROW(store().set_attachment_with_port(second, 20'000, 20'001, is_free), Error);
  store().set_attachment(first);  // as a change of another field does
  EXPECT_EQ(store().attachments_to(first.service).front().port, Port{20'000});
  store().remove_attachment(first.service, first.app_id);
  store().set_attachment_with_port(second, 20'000, 20'001, is_free);
  EXPECT_EQ(store().attachments_to(second.service).front().port, Port{20'000});
}

TEST_F(ServicesTest, AReleaseRemembersWhichServiceGaveASetting) {
  const auto service = add("db");
  attach(service, 1);
  deploy_with(service.id);
  EXPECT_EQ(store().settings(app_.id).begin()->second.service, service.id);
}

TEST_F(ServicesTest, TheAttachmentsOfADestroyedAppAreThereToBeClosed) {
  const auto service = add("db");
  attach(service, 1);
  store().remove_app(app_.id);
  EXPECT_EQ(store().attachments_to(service.id).front().app, "shop");
  store().remove_service(service.id);
  EXPECT_TRUE(store().attachments().empty());
}

}  // namespace
}  // namespace pushrod
