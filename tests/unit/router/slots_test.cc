// Which back ends apps get, and when there must be more of them.
#include "router/slots.hh"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace pushrod {
namespace {

RoutingTable apps(const std::vector<std::string>& names) {
  RoutingTable table;
  for (const auto& name : names) table.apps.push_back({AppName::parse(name), {}, {}});
  return table;
}

TEST(Slots, AreMoreThanThereAreApps) {
  const auto slots = assign_slots(apps({"blog", "shop"}), {});
  EXPECT_EQ(slots.of_apps, (MapEntries{{"app.blog", "slot.1"}, {"app.shop", "slot.2"}}));
  EXPECT_EQ(slots.plain, 10u);
  EXPECT_EQ(slots.sticky, 2u);
}

TEST(Slots, StayWithTheirApps) {
  const auto before = assign_slots(apps({"blog", "shop"}), {});
  const auto after = assign_slots(apps({"a", "shop"}), before);
  EXPECT_EQ(after.of_apps, (MapEntries{{"app.a", "slot.3"}, {"app.shop", "slot.2"}}))
      << "blog's servers may still be in slot.1";
  EXPECT_EQ(after.plain, before.plain);
  EXPECT_EQ(assign_slots(apps({"a", "b", "shop"}), after).of_apps.at("app.b"), "slot.1");
}

TEST(Slots, BecomeMoreWhenNoneIsFree) {
  std::vector<std::string> names;
  Slots slots;
  unsigned reloads = 0;
  for (int number = 0; number < 1000; ++number) {
    names.push_back(fmt::format("app{}", number));
    const auto next = assign_slots(apps(names), slots);
    reloads += next.plain != slots.plain ? 1 : 0;
    EXPECT_GE(next.plain, names.size());
    slots = next;
  }
  EXPECT_LT(reloads, 25u);
  EXPECT_LT(slots.plain, 1300u);
}

TEST(Slots, OfStickyAppsAreOfTheirOwnKind) {
  auto table = apps({"blog", "shop"});
  const auto before = assign_slots(table, {});
  table.apps[0].sticky = true;
  const auto after = assign_slots(table, before);
  EXPECT_EQ(after.of_apps, (MapEntries{{"app.blog", "sticky.1"}, {"app.shop", "slot.2"}}));
  EXPECT_EQ(after.plain, before.plain);
  EXPECT_EQ(after.sticky, before.sticky);
}

TEST(Slots, AreReadFromTheFiles) {
  const auto slots = parse_slots(
      "backend unknown-host\nbackend slot.1\n  server x 127.0.0.1:1\nbackend slot.2\n"
      "backend sticky.1\n",
      "app.blog slot.2\n");
  EXPECT_EQ(slots.plain, 2u);
  EXPECT_EQ(slots.sticky, 1u);
  EXPECT_EQ(slots.of_apps, (MapEntries{{"app.blog", "slot.2"}}));
  EXPECT_EQ(parse_slots("", "").plain, 0u);
  EXPECT_EQ(parse_slots("backend keep-slot.1\n", "app.blog keep-slot.1\n").of_apps,
            (MapEntries{{"app.blog", "slot.1"}}));
  EXPECT_EQ(parse_slots("backend keep-slot.1\n", "").plain, 0u);
}

}  // namespace
}  // namespace pushrod
