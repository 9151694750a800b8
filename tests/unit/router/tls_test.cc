// TLS in the real HAProxy, with curl and openssl as clients: handshakes, certificates that come and go, redirects.
#include "live_router.hh"
#include "os/command.hh"

namespace pushrod {
namespace {

class Tls : public LiveRouter {
 protected:
  Tls() {
    settings_.https = {"127.0.0.1", listen_anywhere().second};
    router_.emplace(*layout_, settings_);
  }
  void SetUp() override { start(table()); }

  // A certificate of its own for the host; each call makes another one.
  RoutedCertificate certificate(const std::string& host, const std::string& subject = "one") {
    const auto name = fmt::format("{}{}", host.front() == '*' ? "_" + host.substr(1) : host, ".pem");
    const auto file = layout_->root() / name;
    run_tool({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "9",
              "-subj", "/CN=" + subject, "-addext", "subjectAltName=DNS:" + host, "-keyout",
              (layout_->root() / "key").string(), "-out", file.string()});
    write_file(file, *read_file(file) + *read_file(layout_->root() / "key"));
    return {HostName::parse(host), file, fmt::format("id{}", ++made_)};
  }
  RoutingTable table(std::vector<RoutedCertificate> certificates = {}, TrafficMode mode = TrafficMode::Serve) {
    auto blog = routed("blog", {{instance("blog", 1), blog_.port()}});
    blog.routes.push_back(route("www.example.com"));
    blog.mode = mode;
    return {{std::move(blog)}, std::move(certificates)};
  }
  static CommandResult run_tool(std::vector<std::string> words, const std::string& input = {}) {
    Command command;
    command.argv = std::move(words);
    command.input = input;
    return run(command);
  }
  // What curl prints, with the answer's head; "" when there was no handshake.
  std::string get_secure(const std::string& host, std::vector<std::string> more = {},
                         const std::string& path = "/echo") {
    const auto port = settings_.https->port;
    std::vector<std::string> words{"curl", "-sik", "--resolve", fmt::format("{}:{}:127.0.0.1", host, port)};
    words.insert(words.end(), more.begin(), more.end());
    words.push_back(fmt::format("https://{}:{}{}", host, port, path));
    return run_tool(words).out;
  }
  // The subject of the certificate that a client sees; empty when the handshake fails.
  std::string subject_of(const std::string& host) {
    const auto address = fmt::format("127.0.0.1:{}", settings_.https->port);
    const auto text = run_tool({"openssl", "s_client", "-connect", address, "-servername", host}, "\n").out;
    // "subject=CN = one", or without the spaces.
    const std::string name = "subject=CN";
    const auto at = text.find(name);
    if (at == text.npos) return "";
    const auto begin = text.find_first_not_of(" =", at + name.size());
    return text.substr(begin, text.find('\n', begin) - begin);
  }
  pid_t worker() { return master().processes()->workers.at(0); }

  AppServer blog_{"blog"};
  unsigned made_ = 0;
};

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

TEST_F(Tls, AnswersWithBothVersionsOfHttpAndTellsTheApp) {
  router_->apply(table({certificate("www.example.com")}));
  for (const char* version : {"--http1.1", "--http2"}) {
    const auto answer = get_secure("www.example.com", {version, "-H", "X-Forwarded-Proto: http"});
    EXPECT_TRUE(has(answer, std::string(version) == "--http2" ? "HTTP/2 200" : "HTTP/1.1 200")) << answer;
    EXPECT_TRUE(has(answer, "GET /echo HTTP/1.1\r\n")) << answer;
    EXPECT_TRUE(has(answer, "x-forwarded-proto: https\r\n")) << answer;
    EXPECT_TRUE(has(answer, fmt::format("x-forwarded-port: {}\r\n", settings_.https->port))) << answer;
    EXPECT_TRUE(has(answer, "x-request-start: t=1")) << answer;
    EXPECT_TRUE(has(answer, "x-request-id: ")) << answer;
    EXPECT_TRUE(has(answer, "x-forwarded-for: 127.0.0.1\r\n")) << answer;
  }
  EXPECT_FALSE(has(get_secure("www.example.com", {"--tlsv1.1", "--tls-max", "1.1"}), "200"));
}

TEST_F(Tls, CertificatesComeGoAndAreRenewedWithoutAReloadInEveryMode) {
  const auto before = worker();
  for (const auto mode :
       {TrafficMode::Serve, TrafficMode::Stopped, TrafficMode::Maintenance, TrafficMode::Hold, TrafficMode::Asleep}) {
    EXPECT_EQ(subject_of("www.example.com"), "");
    for (const std::string subject : {"first", "second"}) {
      const auto wanted = table({certificate("www.example.com", subject)}, mode);
      EXPECT_FALSE(router_->serves(wanted));
      router_->apply(wanted);
      EXPECT_TRUE(router_->serves(wanted));
      EXPECT_EQ(subject_of("www.example.com"), subject);
    }
    router_->apply(table({}, mode));
    EXPECT_EQ(subject_of("www.example.com"), "");
    EXPECT_TRUE(list_directory(layout_->router() / "certificates").empty()) << "a key is left behind";
  }
  EXPECT_EQ(worker(), before);
}

TEST_F(Tls, AHandshakeForAnUnknownNameFails) {
  router_->apply(table({certificate("*.example.com"), certificate("www.example.com", "own")}));
  EXPECT_EQ(subject_of("www.example.com"), "own");
  EXPECT_EQ(subject_of("a.example.com"), "one");
  for (const char* host : {"example.com", "a.b.example.com", "blog.localhost"}) EXPECT_EQ(subject_of(host), "") << host;
}

TEST_F(Tls, CertificatesAreThereAfterARestart) {
  const auto wanted = table({certificate("www.example.com")});
  router_->apply(wanted);
  haproxy_.reset();
  launch();
  ASSERT_TRUE(eventually([&] { return router_->is_running(); })) << log();
  EXPECT_TRUE(router_->serves(wanted));
  EXPECT_EQ(subject_of("www.example.com"), "one");
}

// Files under run/ are not flushed to disk: a power loss may leave them empty.
TEST_F(Tls, FilesThatAPowerLossEmptiedAreWrittenAnew) {
  const auto wanted = table({certificate("www.example.com")});
  router_->apply(wanted);
  haproxy_.reset();
  for (const auto& entry : fs::recursive_directory_iterator(layout_->router())) {
    if (entry.is_regular_file() && entry.path().filename() != "haproxy.cfg") write_file(entry.path(), "");
  }
  start(wanted);
  EXPECT_TRUE(router_->serves(wanted));
  EXPECT_EQ(subject_of("www.example.com"), "one");
}

TEST_F(Tls, ATransactionThatAKilledProcessLeftIsNotInTheWay) {
  for (const char* command : {"new ssl cert certificates/x.pem", "new ssl cert certificates/y.pem"}) {
    master().ask_current(command);
  }
  const auto pem = *read_file(certificate("x.example.com").file);
  master().ask_current("set ssl cert certificates/x.pem <<\n" + pem + "\n");
  router_->apply(table({certificate("www.example.com", "mine")}));
  EXPECT_EQ(subject_of("www.example.com"), "mine");
}

TEST_F(Tls, ClientsOfHttpAreSentToHttpsWhereThereIsACertificate) {
  EXPECT_EQ(get("www.example.com", "/a?b=c").body, "blog");
  router_->apply(table({certificate("*.example.com")}));
  const auto response = get("www.example.com", "/a?b=c");
  EXPECT_EQ(response.status, 308);
  EXPECT_TRUE(response.has(fmt::format("location: https://www.example.com:{}/a?b=c", settings_.https->port)))
      << response.head;
  EXPECT_EQ(get("blog.localhost").body, "blog");
  EXPECT_EQ(get("www.example.com", "/.well-known/acme-challenge/x").status, 200);
  router_->apply(table());
  EXPECT_EQ(get("www.example.com", "/a?b=c").body, "blog");
}

TEST_F(Tls, BrowsersAreToldToUseHttpsAloneWhereTheDomainSaysSo) {
  auto wanted = table({certificate("www.example.com"), certificate("blog.localhost")});
  wanted.apps[0].routes[1].hsts = std::chrono::seconds{3600};
  router_->apply(wanted);
  EXPECT_TRUE(has(get_secure("www.example.com"), "strict-transport-security: max-age=3600\r\n"));
  EXPECT_FALSE(has(get_secure("blog.localhost"), "strict-transport-security"));
  EXPECT_FALSE(has(get("www.example.com").head, "strict-transport-security")) << "not over http";
}

TEST_F(Tls, RequestsThatAnOldWorkerHandsOnAreStillSecure) {
  const auto wanted = table({certificate("www.example.com")});
  router_->apply(wanted);
  for (const char* version : {"--http1.1", "--http2"}) {
    // One connection: a request, a pause in which the router reloads, and another request.
    const auto port = settings_.https->port;
    const auto url = fmt::format("https://www.example.com:{}/echo", port);
    std::thread later([&] {
      std::this_thread::sleep_for(Milliseconds{500});
      reload_into(wanted);
    });
    const auto result = run_tool({"curl", "-sikv", version, "--resolve",
                                  fmt::format("www.example.com:{}:127.0.0.1", port), "--rate", "40/m", url, url});
    later.join();
    const auto& answers = result.out;
    const auto second = answers.find("GET /echo", answers.find("GET /echo") + 1);
    ASSERT_NE(second, answers.npos) << answers << result.err;
    EXPECT_TRUE(has(answers.substr(second), "x-forwarded-proto: https")) << answers;
    // HAProxy closes an idle HTTP/2 connection when it reloads, and says which requests it has not seen (GOAWAY).
    EXPECT_TRUE(version == std::string("--http2") || has(result.err, "Re-using existing ")) << result.err;
  }
}

TEST_F(Tls, SessionsAreResumedForTwoRotationsOfTheTicketKeys) {
  router_->apply(table({certificate("www.example.com")}));
  const auto address = fmt::format("127.0.0.1:{}", settings_.https->port);
  const auto session = (layout_->root() / "session").string();
  const auto connect = [&](const std::string& option) {
    return run_tool({"openssl", "s_client", "-connect", address, "-servername", "www.example.com", "-tls1_2", option,
                     session},
                    "\n")
        .out;
  };
  connect("-sess_out");
  EXPECT_TRUE(has(connect("-sess_in"), "Reused, TLSv1.2"));
  router_->rotate_ticket_keys(Milliseconds{0});
  EXPECT_TRUE(has(connect("-sess_in"), "Reused, TLSv1.2"));
  for (int number = 0; number < 3; ++number) router_->rotate_ticket_keys(Milliseconds{3'600'000});
  EXPECT_TRUE(has(connect("-sess_in"), "Reused, TLSv1.2")) << "the last key is not an hour old";
  for (int number = 0; number < 3; ++number) router_->rotate_ticket_keys(Milliseconds{0});
  EXPECT_FALSE(has(connect("-sess_in"), "Reused, TLSv1.2"));
  EXPECT_EQ(lines_of(*read_file(layout_->router() / "tickets.keys")).size(), 3u);
}

}  // namespace
}  // namespace pushrod
