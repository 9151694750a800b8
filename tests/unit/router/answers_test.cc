// Answers as HAProxy 2.6.12 gave them, and answers that it must not be believed.
#include "router/answers.hh"

#include <gtest/gtest.h>

#include "base/error.hh"

namespace pushrod {
namespace {

constexpr const char* kProcesses =
    "#<PID>          <type>          <reloads>       <uptime>        <version>      \n"
    "9910            master          2 [failed: 1]   0d00h01m25s     2.6.12-1+deb12u4\n"
    "# workers\n"
    "14418           worker          0               0d00h00m00s     2.6.12-1+deb12u4\n"
    "# old workers\n"
    "14080           worker          1               0d00h00m21s     2.6.12-1+deb12u4\n"
    "14020           worker          2               0d00h00m31s     2.6.12-1+deb12u4\n"
    "# programs\n\n";

constexpr const char* kServers =
    "New server registered.\n\nServer deleted.\n1\n"
    "# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight "
    "srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state "
    "bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr "
    "srv_agent_addr srv_agent_port\n"
    "4 app.blog 1 14.web.1 127.0.0.1 2 8 1 1 0 1 0 2 0 0 0 0 - 20001 - 0 0 - - 0\n"
    "4 app.blog 2 15.web.1 127.0.0.1 2 0 1 1 0 1 0 2 0 0 0 0 - 20002 - 0 0 - - 0\n\n";

TEST(Answers, TellWorkersFromOldOnes) {
  const auto processes = parse_processes(kProcesses);
  EXPECT_EQ(processes.workers, std::vector<pid_t>{14418});
  EXPECT_EQ(processes.old_workers, (std::vector<pid_t>{14080, 14020}));
  EXPECT_EQ(processes.failed_reloads, 1u);
}

TEST(Answers, TellServersWithTheirState) {
  const auto servers = parse_servers(kServers);
  ASSERT_EQ(servers.size(), 2u);
  EXPECT_EQ(servers[0].backend, "app.blog");
  EXPECT_EQ(servers[0].name, "14.web.1");
  EXPECT_EQ(servers[0].port, 20001);
  EXPECT_FALSE(servers[0].gets_requests());
  EXPECT_TRUE(servers[1].gets_requests());
}

TEST(Answers, TellDescriptionAndStopping) {
  const auto info = parse_info("Name: HAProxy\nnode: vm\ndescription: 0123abcd\nStopping: 1\nJobs: 4\n\n");
  EXPECT_EQ(info.description, "0123abcd");
  EXPECT_TRUE(info.stopping);
}

TEST(Answers, TellRequestsWithThoseThatQueue) {
  const auto requests = parse_requests(
      "# pxname,svname,qcur,qmax,scur,smax,stot,\napp.blog,14.web.1,2,2,3,9,70,\napp.blog,14.web.2,0,0,0,0,0,\n\n");
  EXPECT_EQ(requests.at("app.blog/14.web.1").in_flight, 5u);
  EXPECT_EQ(requests.at("app.blog/14.web.1").served, 70u);
  EXPECT_EQ(requests.at("app.blog/14.web.2").in_flight, 0u);
}

TEST(Answers, TellWhatMapsSay) {
  const auto maps = parse_maps(
      "0x1 www.example.com/shop/ app.shop||1|/shop\n\n0x2 app.shop slot.7\n0x3 app.blog sticky.1\n\n"
      "0x4 app.shop hold\n\n");
  EXPECT_EQ(maps.hosts, (MapEntries{{"www.example.com/shop/", "app.shop||1|/shop"}}));
  EXPECT_EQ(maps.slots, (MapEntries{{"app.blog", "sticky.1"}, {"app.shop", "slot.7"}}));
  EXPECT_EQ(maps.modes, (MapEntries{{"app.shop", "hold"}}));
  EXPECT_THROW(parse_maps("0x1 one\n"), Error);
}

TEST(Answers, AreRefusedWhenCutAnywhere) {
  const std::string processes = kProcesses, servers = kServers;
  for (std::size_t size = 0; size < processes.size(); ++size) {
    EXPECT_THROW(parse_processes(processes.substr(0, size)), Error) << size;
  }
  for (std::size_t size = 0; size < servers.size(); ++size) {
    EXPECT_THROW(parse_servers(servers.substr(0, size)), Error) << size;
  }
}

TEST(Answers, AreRefusedInAnotherForm) {
  EXPECT_THROW(parse_servers("# be_id be_name srv_name\n4 app.blog 1\n\n"), Error) << "columns missing";
  EXPECT_THROW(parse_requests("# pxname,svname,qcur,scur,stot\na,b,-1,0,0\n\n"), Error) << "no number";
  EXPECT_THROW(parse_requests("# pxname,svname,qcur,scur,stot\na,b,0\n\n"), Error) << "a short line";
  EXPECT_THROW(parse_info("description: x\n"), Error);
  EXPECT_THROW(parse_processes("#<PID> x\nhello world x\n\n"), Error);
}

TEST(Answers, HoldTheComplaintsThatAreWorthTelling) {
  EXPECT_EQ(complaints("New server registered.\n\nNo such backend.\n\x1b[2J\n1\n# be_id x\nrow\n\n"),
            (std::vector<std::string>{"No such backend.", "\\x1b[2J"}));
  EXPECT_TRUE(complaints(kServers).empty());
}

}  // namespace
}  // namespace pushrod
