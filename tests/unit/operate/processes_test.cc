// What runs, and what of it a caller sees.
#include "operate/processes.hh"

#include "fixtures.hh"

namespace pushrod {
namespace {

class ProcessViews : public OperateTest {};

TEST_F(ProcessViews, InstancesAreShownAsTheyAre) {
  live_app("blog");
  const auto found = processes(operator_, blog_);
  ASSERT_EQ(found.instances.size(), 2U);
  EXPECT_EQ(found.instances[0].state, "running");
  EXPECT_EQ(found.instances[0].restarts, 0U);
  EXPECT_TRUE(found.jobs.empty());
  const auto json = to_json(found.instances[0]);
  EXPECT_EQ(json["instance"], "blog.1.web.1");
  EXPECT_EQ(json["retry_in_ms"], nullptr);
  EXPECT_EQ(json["ports"].dump(), "{}");
}

TEST_F(ProcessViews, OneWithoutAProcessIsMissing) {
  live_app("blog");
  const auto name = store().instances().front().name;
  engine().kill({name});
  while (!engine().remove({name}).empty()) {
  }
  const auto found = processes(operator_, blog_);
  const auto missing = std::ranges::find(found.instances, name, [](const auto& view) { return view.instance.name; });
  ASSERT_NE(missing, found.instances.end());
  EXPECT_EQ(missing->state, "missing");
  EXPECT_EQ(to_json(*missing)["pid"], nullptr);
  EXPECT_EQ(to_json(*missing)["up_for_ms"], nullptr);
}

TEST_F(ProcessViews, AKeySeesItsAppsOnly) {
  const auto shop = live_app("shop");
  auto& own = with_key("ann", Role::View, {shop.name});
  EXPECT_EQ(processes(own, {}).instances.size(), 2U);
  EXPECT_EQ(processes(with_key("ben", Role::View, {add_app("blog").name}), {}).instances.size(), 0U);
  EXPECT_NE(refusal([&] { processes(own, blog_); }), "(nothing thrown)");
  EXPECT_NE(refusal([&] { UsageMeter(own, blog_); }), "(nothing thrown)");
}

}  // namespace
}  // namespace pushrod
