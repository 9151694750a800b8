// Releases, instances, their ports, and the commit point.
#include "fixture.hh"

namespace pushrod {
namespace {

using State = DeploymentState;
using std::string_literals::operator""s;

class StoreReleases : public StoreTest {};

TEST_F(StoreReleases, ComeBackAsTheyWereRecorded) {
  const App blog = add_app("blog");
  const Deployment deployment = begin({blog})[0];
  Release release = release_of(deployment, {process("web", 2), process("worker")});
  release.checkout = 7;
  release.environment = {
      {"PATH", "/venv/bin:/usr/bin"}, {"ODD", "a\nb=c \"'$\xff"}, {"EMPTY", ""}, {"LONG", std::string(131072, 'x')}};
  release.source = {RepoName::parse("other"), BranchName::parse("next"), "services/blog", "deploy/blog.toml",
                    "services"};
  release.writable = {"log", "tmp/cache"};
  release.mounts = {{"venv", "/venv"}, {"gems", "/gems", Access::Write, Access::None}};
  release.host_mounts = {{"/mnt/maps", MountName::parse("maps"), true}, {"/srv/media", MountName::parse("media")}};
  release.processes[0].ports = {9394};
  release.processes[0].sticky = true;
  store().add_release(release);
  close();

  const std::optional<Release> read = store().release(blog.id, 1);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->app, blog.name);
  EXPECT_EQ(read->commit, commit('a'));
  EXPECT_EQ(read->checkout, 7u);
  EXPECT_EQ(read->builder, "python");
  EXPECT_EQ(read->environment, release.environment);
  EXPECT_EQ(read->source, release.source);
  EXPECT_EQ(read->writable, release.writable);
  EXPECT_EQ(read->mounts, release.mounts);
  EXPECT_EQ(read->host_mounts, release.host_mounts);
  EXPECT_EQ(read->processes[0].ports, std::vector<Port>{9394});
  EXPECT_TRUE(read->processes[0].sticky);
  EXPECT_EQ(to_json(read->processes), to_json(release.processes));
  EXPECT_EQ(to_epoch_milliseconds(read->created), to_epoch_milliseconds(release.created));
  EXPECT_FALSE(store().release(blog.id, 2));
}

TEST_F(StoreReleases, AreListedNewestFirstWithTheirOwnEnvironment) {
  const App blog = add_app("blog");
  for (int i = 1; i <= 3; ++i) {
    Release release = release_of(begin({blog})[0]);
    release.environment = {{"N", std::to_string(i)}};
    store().add_release(release);
  }
  const std::vector<Release> listed = store().releases(blog.id);
  ASSERT_EQ(listed.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(listed[i].number, 3 - i);
    EXPECT_EQ(listed[i].environment.at("N"), std::to_string(3 - i));
  }
}

TEST_F(StoreReleases, TellTheLayersThatTheyMount) {
  const App blog = add_app("blog");
  for (const char* layer : {"", "node-1", "node-1", "node-2"}) {
    Release release = release_of(begin({blog})[0]);
    release.mounts = {{"venv", "/venv"}, {"app/node_modules", "/app/node_modules", Access::Write, Access::Read, layer}};
    store().add_release(release);
  }
  EXPECT_EQ(store().mounted_layers(), (std::set<std::string>{"node-1", "node-2"}));
}

TEST_F(StoreReleases, BelongToADeployment) {
  const App blog = add_app("blog");
  Release release = release_of(begin({blog})[0]);
  release.number = 2;
  EXPECT_THROW(store().add_release(release), Error);
}

TEST_F(StoreReleases, StickyOnesAreThoseWithATypeThatIsAndAnInstance) {
  const App blog = add_app("blog");
  const App admin = add_app("admin");
  Release release = release_of(begin({blog})[0]);
  release.processes.at(0).sticky = true;
  store().add_release(release);
  EXPECT_TRUE(store().sticky_releases().empty());
  store().add_instances(release, {}, 20000, 29999, always_free);
  Release other = release_of(begin({admin})[0]);
  other.processes.at(0).command = "echo '\"sticky\":true'";
  store().add_release(other);
  store().add_instances(other, {}, 20000, 29999, always_free);
  const std::set<std::pair<AppId, ReleaseNumber>> expected{{blog.id, release.number}};
  EXPECT_EQ(store().sticky_releases(), expected);
}

TEST_F(StoreReleases, AreReplacedUntilTheyRun) {
  const App blog = add_app("blog");
  Release release = release_of(begin({blog})[0]);
  release.environment = {{"A", "1"}};
  store().add_release(release);
  release.environment = {{"B", "2"}};
  store().add_release(release);
  EXPECT_EQ(store().release(blog.id, 1)->environment, release.environment);
  store().add_instances(release, {}, 20000, 29999, always_free);
  EXPECT_THROW(store().add_release(release), Error);
}

TEST_F(StoreReleases, AreRemovedOnlyWhenNothingNeedsThem) {
  const App blog = add_app("blog");
  deploy({blog});
  EXPECT_THROW(store().remove_release(blog.id, 1), Error);  // live
  deploy({blog});
  EXPECT_THROW(store().remove_release(blog.id, 1), Error);  // its instance drains
  store().remove_instance(instance("blog.1.web.1"));
  store().remove_release(blog.id, 1);
  store().remove_release(blog.id, 1);
  EXPECT_EQ(store().releases(blog.id).size(), 1u);
  EXPECT_TRUE(store().deployment(blog.id, 1));
  EXPECT_EQ(store().integrity(), "ok");
}

TEST_F(StoreReleases, EachInstanceLeasesOnePortForEachThatItsProcessLists) {
  const App blog = add_app("blog");
  Release release = release_of(begin({blog})[0], {process("web", 2), process("worker")});
  for (Process& one : release.processes) one.ports = {1234, 9394};
  store().add_release(release);
  const auto added = store().add_instances(release, {}, 20000, 20007, always_free);
  ASSERT_EQ(added.size(), 3u);
  EXPECT_EQ(added[0].port, Port{20000});
  EXPECT_EQ(added[0].ports, (std::map<Port, Port>{{1234, 20001}, {9394, 20002}}));
  EXPECT_EQ(added[1].port, Port{20003});
  EXPECT_EQ(added[1].ports, (std::map<Port, Port>{{1234, 20004}, {9394, 20005}}));
  EXPECT_FALSE(added[2].port);
  EXPECT_EQ(added[2].ports, (std::map<Port, Port>{{1234, 20006}, {9394, 20007}}));
  // They are leased until the instance's row goes.
  const Release second = release_of(begin({blog})[0]);
  store().add_release(second);
  EXPECT_THROW(store().add_instances(second, {}, 20000, 20007, always_free), Error);
  store().remove_instance(added[2].name);
  EXPECT_EQ(store().add_instances(second, {}, 20000, 20007, always_free).at(0).port, Port{20006});
}

TEST_F(StoreReleases, InstancesStartWithAPortForEachRoutedOne) {
  const App blog = add_app("blog");
  const Release release = release_of(begin({blog})[0], {process("web", 2), process("worker", 2)});
  store().add_release(release);
  const std::vector<Instance> added =
      store().add_instances(release, {}, 20000, 20009, [](Port port) { return port != 20001; });
  ASSERT_EQ(added.size(), 4u);
  EXPECT_EQ(added[0].name.str(), "blog.1.web.1");
  EXPECT_EQ(added[0].port, Port{20000});
  EXPECT_EQ(added[1].name.str(), "blog.1.web.2");
  EXPECT_EQ(added[1].port, Port{20002});
  EXPECT_EQ(added[2].name.str(), "blog.1.worker.1");
  EXPECT_EQ(added[2].port, std::nullopt);
  EXPECT_EQ(added[3].state, InstanceState::Starting);
  EXPECT_EQ(store().instances().size(), 4u);
  // Said again after a crash: the same.
  const std::vector<Instance> again = store().add_instances(release, {}, 20000, 20009, always_free);
  ASSERT_EQ(again.size(), 4u);
  EXPECT_EQ(again[1].port, Port{20002});
}

TEST_F(StoreReleases, PortsRestAfterTheyWereGivenBack) {
  const App blog = add_app("blog");
  std::vector<Port> taken;
  for (int i = 0; i < 5; ++i) {
    const Release release = release_of(begin({blog})[0]);
    store().add_release(release);
    const Instance added = store().add_instances(release, {}, 30000, 30002, always_free).at(0);
    taken.push_back(added.port.value());
    store().remove_instance(added.name);
  }
  EXPECT_EQ(taken, (std::vector<Port>{30000, 30001, 30002, 30000, 30001}));
  // A range that was changed meanwhile.
  const Release release = release_of(begin({blog})[0]);
  store().add_release(release);
  EXPECT_EQ(store().add_instances(release, {}, 65535, 65535, always_free).at(0).port, Port{65535});
}

TEST_F(StoreReleases, PortsRunOutWithoutTakingAny) {
  const App blog = add_app("blog");
  const App shop = add_app("shop");
  const Release two = release_of(begin({blog})[0], {process("web", 2)});
  store().add_release(two);
  store().add_instances(two, {}, 20000, 20003, always_free);
  const Release three = release_of(begin({shop})[0], {process("web", 3)});
  store().add_release(three);
  try {
    store().add_instances(three, {}, 20000, 20003, always_free);
    FAIL() << "found a third";
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "no port from 20000 to 20003 is free (2 ports leased)");
    EXPECT_FALSE(error.hint().empty());
  }
  EXPECT_TRUE(store().instances(shop.id).empty());
  EXPECT_THROW(store().add_instances(three, {}, 20003, 20000, always_free), Error);
  EXPECT_THROW(store().add_instances(three, {}, 25000, 29999, [](Port) { return false; }), Error);
}

TEST_F(StoreReleases, InstanceStatesAreSetTogether) {
  const App blog = add_app("blog");
  deploy({blog}, {process("web", 2), process("worker")});
  store().set_instance_states({instance("blog.1.web.1"), instance("blog.1.worker.1"), instance("gone.1.web.1")},
                              InstanceState::Stopping);
  EXPECT_EQ(state_of("blog.1.web.1"), InstanceState::Stopping);
  EXPECT_EQ(state_of("blog.1.web.2"), InstanceState::Serving);
  EXPECT_EQ(state_of("blog.1.worker.1"), InstanceState::Stopping);
  store().set_instance_state(instance("blog.1.web.2"), InstanceState::Draining);
  EXPECT_EQ(state_of("blog.1.web.2"), InstanceState::Draining);
  store().remove_instances({instance("blog.1.web.1"), instance("blog.1.web.2"), instance("blog.1.web.9")});
  EXPECT_EQ(store().instances().size(), 1u);
}

TEST_F(StoreReleases, GoLiveWithAllAppsOfTheGroup) {
  const App blog = add_app("blog");
  const App shop = add_app("shop");
  deploy({blog, shop});
  const std::int64_t second = prepare({blog, shop})[0].group;
  EXPECT_EQ(store().app(blog.id)->live, 1u);
  store().commit_group(second);
  store().commit_group(second);  // done already
  for (const char* app : {"blog", "shop"}) {
    EXPECT_EQ(store().app(app_name(app))->live, 2u);
    EXPECT_EQ(state_of(app + ".1.web.1"s), InstanceState::Draining);
    EXPECT_EQ(state_of(app + ".2.web.1"s), InstanceState::Serving);
  }
  EXPECT_EQ(store().group(second)[0].state, State::Committed);
  store().advance(second, State::Live);
  store().commit_group(second);
  EXPECT_EQ(store().group(second)[0].state, State::Live);
}

TEST_F(StoreReleases, DoNotGoLiveWhenOneOfTheGroupHasNone) {
  const App blog = add_app("blog");
  const App shop = add_app("shop");
  deploy({blog, shop});
  const auto both = begin({blog, shop});
  store().advance(both[0].group, State::Running);
  const Release release = release_of(both[0]);
  store().add_release(release);
  store().add_instances(release, {}, 20000, 29999, always_free);
  store().advance(both[0].group, State::Ready);
  EXPECT_THROW(store().commit_group(both[0].group), Error);
  EXPECT_EQ(store().group(both[0].group)[0].state, State::Ready);
  EXPECT_EQ(store().app(blog.id)->live, 1u);
  EXPECT_EQ(state_of("blog.1.web.1"), InstanceState::Serving);
  EXPECT_EQ(state_of("blog.2.web.1"), InstanceState::Starting);
}

TEST_F(StoreReleases, LeaveStoppedInstancesAloneAtTheCommitPoint) {
  const App blog = add_app("blog");
  deploy({blog}, {process("web"), process("worker")});
  const std::int64_t second = prepare({blog}, {process("web"), process("worker")})[0].group;
  store().set_instance_state(instance("blog.1.worker.1"), InstanceState::Stopping);  // it does not overlap
  store().commit_group(second);
  EXPECT_EQ(state_of("blog.1.worker.1"), InstanceState::Stopping);
  EXPECT_EQ(state_of("blog.1.web.1"), InstanceState::Draining);
  EXPECT_EQ(state_of("blog.2.worker.1"), InstanceState::Serving);
}

TEST_F(StoreReleases, OfARemovedBranchEnd) {
  const App blog = add_app("blog");
  deploy({blog});
  const Deployment removal = begin({blog}, DeploymentKind::Remove)[0];
  EXPECT_EQ(removal.commit, std::nullopt);
  store().advance(removal.group, State::Running);
  store().advance(removal.group, State::Ready);
  store().commit_group(removal.group);
  EXPECT_EQ(store().app(blog.id)->live, std::nullopt);
  EXPECT_EQ(state_of("blog.1.web.1"), InstanceState::Draining);
  EXPECT_EQ(store().app_summaries()[0].instances_wanted, 0u);
}

}  // namespace
}  // namespace pushrod
