// Logs where they are: of instances, and of the router.
#include "engine/local/logs.hh"

#include <fcntl.h>

#include "fixtures.hh"

namespace pushrod {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Logs : public LocalTest {
 protected:
  // As s6-log writes it; `second`: when.
  void write_to(const fs::path& directory, unsigned second, const std::string& text) {
    make_directory(directory);
    const auto file = open_file(directory / "current", O_WRONLY | O_CREAT | O_APPEND);
    write_all(file.get(), fmt::format("@40000000{:08x}00000000 {}\n", 1'700'000'000 + second, text), "writing");
  }
  void write(const std::string& instance, unsigned second, const std::string& text) {
    write_to(layout_.instance_log(name(instance)), second, text);
  }
  // "web.1: text"
  static std::vector<std::string> read(LogStream& stream, const std::string& part = {}) {
    std::vector<std::string> lines;
    const auto wants = [&](WallTime, const std::string& text) { return text.find(part) != text.npos; };
    for (const auto& chunk : stream.read_on({}, wants)) {
      for (const auto& entry : chunk.entries) lines.push_back(entry.source + ": " + entry.text);
    }
    return lines;
  }
  const AppName blog_ = AppName::parse("blog");
};

TEST_F(Logs, OfAllInstancesAreReadOnWhereTheyStopped) {
  write("blog.1.web.1", 1, "one");
  write("blog.1.worker.1", 2, "two");
  write("shop.1.web.1", 3, "of another app");
  const auto stream = engine_.logs(blog_, {});
  EXPECT_THAT(stream->sources(), ElementsAre("web.1", "worker.1"));
  EXPECT_THAT(read(*stream), ElementsAre("web.1: one", "worker.1: two"));
  EXPECT_THAT(read(*stream), IsEmpty());
  write("blog.2.web.1", 4, "of a new release");
  write("blog.1.worker.1", 5, "three");
  EXPECT_THAT(read(*stream), testing::UnorderedElementsAre("web.1: of a new release", "worker.1: three"));
}

TEST_F(Logs, AreThoseOfOneTypeOrInstance) {
  for (const char* instance : {"blog.1.web.1", "blog.1.web.2", "blog.1.worker.1"}) write(instance, 1, instance);
  EXPECT_THAT(engine_.logs(blog_, "web")->sources(), ElementsAre("web.1", "web.2"));
  EXPECT_THAT(engine_.logs(blog_, "web.2")->sources(), ElementsAre("web.2"));
  EXPECT_THAT(engine_.logs(blog_, "we")->sources(), IsEmpty());
}

TEST_F(Logs, GiveOnlyWhatIsWanted) {
  write("blog.1.web.1", 1, "GET /");
  write("blog.1.web.1", 2, "error");
  EXPECT_THAT(read(*engine_.logs(blog_, {}), "err"), ElementsAre("web.1: error"));
}

TEST_F(Logs, TellOfLinesThatTheLoggerHasSplit) {
  settings_.log_bytes = 1u << 20;
  write("blog.1.web.1", 1, std::string(longest_log_record(settings_.log_bytes), 'x'));
  write("blog.1.web.1", 1, "end");
  const LocalEngine engine(layout_, settings_, {});
  const auto chunks = engine.logs(blog_, {})->read_on({}, [](auto&&...) { return true; });
  ASSERT_EQ(chunks.size(), 1U);
  ASSERT_EQ(chunks[0].entries.size(), 2U);
  EXPECT_TRUE(chunks[0].entries[0].continued);
  EXPECT_FALSE(chunks[0].entries[1].continued);
}

TEST_F(Logs, WakeTheirFollowerWhenAnInstanceBeginsToWrite) {
  const auto stream = engine_.logs(blog_, {});
  LogWatch watch;
  EXPECT_FALSE(stream->exists());
  stream->watch(watch);
  EXPECT_TRUE(stream->exists());
  write("blog.1.web.1", 1, "one");
  const Stopwatch waited;
  EXPECT_TRUE(watch.wait(kPatience));
  EXPECT_LT(waited.elapsed(), kPatience);
  EXPECT_THAT(read(*stream), ElementsAre("web.1: one"));
  remove_tree(layout_.logs(blog_));
  EXPECT_FALSE(stream->exists());
}

TEST_F(Logs, OfTheRouterAreTheRequestsForTheApp) {
  write_to(layout_.access_log(), 1, "= app.blog 200 1234 15 -- 192.0.2.7 GET /about?x=1");
  write_to(layout_.access_log(), 2, "= app.shop 200 10 1 -- 192.0.2.7 GET /");
  write_to(layout_.access_log(), 3, "something else");
  const auto stream = ingress_.access_log(blog_);
  EXPECT_THAT(stream->sources(), ElementsAre("router"));
  const auto chunks = stream->read_on({}, [](auto&&...) { return true; });
  ASSERT_EQ(chunks.size(), 1U);
  ASSERT_EQ(chunks[0].entries.size(), 1U);
  const auto& entry = chunks[0].entries[0];
  EXPECT_EQ(entry.source, "router");
  EXPECT_EQ(entry.text, "GET /about?x=1 200 1234 B 15 ms 192.0.2.7");
  ASSERT_TRUE(entry.access);
  EXPECT_EQ(entry.access->method, "GET");
  EXPECT_EQ(entry.access->path, "/about?x=1");
  EXPECT_EQ(entry.access->status, 200U);
  EXPECT_EQ(entry.access->bytes, 1234U);
  EXPECT_EQ(entry.access->duration, Milliseconds{15});
  EXPECT_EQ(entry.access->client, "192.0.2.7");
}

}  // namespace
}  // namespace pushrod
