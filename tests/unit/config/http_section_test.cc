// [http] of pushrod.toml: what it sets, and what is refused.
#include "config/http_section.hh"

#include <gtest/gtest.h>

#include <cstdlib>

#include "config/app_manifest.hh"
#include "os/files.hh"

namespace pushrod {
namespace {

using namespace std::chrono_literals;

HttpRules rules_of(const std::string& text) { return parse_manifest(text, "pushrod.toml").http; }

std::string problem_of(const std::string& text) {
  try {
    rules_of(text);
    return "accepted";
  } catch (const UserError& error) {
    return error.message();
  }
}

TEST(HttpSection, EachKeySetsItsValue) {
  const auto rules = rules_of(R"(
    [http]
    max_body = "10M"
    timeout = "1m"
    idle_timeout = "2h"
    compress = false
    keep_underscores = true
    [http.headers]
    X-Frame-Options = "DENY"
    Content-Security-Policy = "default-src 'self'; img-src *"
    [http.pages]
    503 = "errors/503.html"
    [[http.redirect]]
    from = "/old/*"
    to = "https://www.example.com/new/*"
    status = 301
    [[http.redirect]]
    from = "/a"
    to = "/b"
  )");
  EXPECT_EQ(rules.max_body, 10u << 20);
  EXPECT_EQ(rules.timeout, 60s);
  EXPECT_EQ(rules.idle_timeout, 2h);
  EXPECT_FALSE(rules.compress);
  EXPECT_TRUE(rules.keep_underscores);
  ASSERT_EQ(rules.headers.size(), 2u);
  EXPECT_EQ(rules.pages.at(503), "errors/503.html");
  ASSERT_EQ(rules.redirects.size(), 2u);
  EXPECT_EQ(rules.redirects[0], (HttpRedirect{"/old/*", "https://www.example.com/new/*", 301}));
  EXPECT_EQ(rules.redirects[1], (HttpRedirect{"/a", "/b", 308}));
  EXPECT_EQ(http_rules_from_json(to_json(rules)), rules);
}

TEST(HttpSection, AProcessMaySpeakHttp2OrServeFiles) {
  const std::string web = "[processes.web]\ncommand = \"x\"\n";
  EXPECT_TRUE(parse_manifest(web + "protocol = \"h2\"\n", "pushrod.toml").processes.at(0).h2);
  EXPECT_FALSE(parse_manifest(web + "protocol = \"http/1.1\"\n", "pushrod.toml").processes.at(0).h2);
  EXPECT_NE(problem_of(web + "protocol = \"spdy\"\n").find("is unknown: \"spdy\""), std::string::npos);
  EXPECT_NE(problem_of(web + "protocol = \"h2\"\nhealth.path = \"/\"\n").find("exclude each other"), std::string::npos);
  EXPECT_NE(problem_of("[processes.worker]\ncommand = \"x\"\nprotocol = \"h2\"\n").find("only \"web\""),
            std::string::npos);
  const auto manifest = parse_manifest("[processes.web]\nstatic = \"./public/\"\ncount = 2\n", "pushrod.toml");
  EXPECT_EQ(manifest.static_files, "public");
  EXPECT_EQ(manifest.processes.at(0).count, 2u);
  EXPECT_NE(problem_of(web + "static = \"public\"\n").find("exclude each other"), std::string::npos);
  for (const std::string wrong : {"/etc", "../other", ""}) {
    EXPECT_NE(problem_of("[processes.web]\nstatic = \"" + wrong + "\"\n").find("not a directory of the app"),
              std::string::npos)
        << wrong;
  }
}

TEST(HttpSection, WithoutItNothingIsSet) {
  EXPECT_EQ(rules_of(""), HttpRules{});
  EXPECT_EQ(http_rules_from_json(to_json(HttpRules{})), HttpRules{});
}

TEST(HttpSection, WhatTheRouterCannotDoIsRefused) {
  const std::string redirect = "[[http.redirect]]\n";
  const std::pair<std::string, const char*> cases[] = {
      {"[http]\nmax_bdy = 1\n", "did you mean \"max_body\"?"},
      {"[http.headers]\nContent-Length = \"1\"\n", "is not for apps to set"},
      {"[http.headers]\nSet-Cookie = \"a=b\"\n", "is not for apps to set"},
      {"[http.headers]\n\"X A\" = \"b\"\n", "is not the name of a header"},
      {"[http.headers]\nX-A = \"a\\r\\nX-B: c\"\n", "on one line"},
      {"[http.headers]\nX-A = \"a\\tb\"\n", "on one line"},
      {"[http.pages]\n404 = \"404.html\"\n", "no page of that status"},
      {"[http.pages]\n503 = \"../503.html\"\n", "not a file in the app's directory"},
      {"[http.pages]\n503 = \"/etc/passwd\"\n", "not a file in the app's directory"},
      {redirect + "from = \"/a\"\n", "has no \"to\""},
      {redirect + "from = \"a\"\nto = \"/b\"\n", "is not a path"},
      {redirect + "from = \"/a*b\"\nto = \"/b\"\n", "is not a path"},
      {redirect + "from = \"/a\"\nto = \"//evil.example\"\n", "is not a path or an address"},
      {redirect + "from = \"/*\"\nto = \"https://example.com*\"\n", "is not a path or an address"},
      {redirect + "from = \"/a\"\nto = \"javascript:1\"\n", "is not a path or an address"},
      {redirect + "from = \"/a\"\nto = \"/b c\"\n", "characters that an address does not have"},
      {redirect + "from = \"/a\"\nto = \"/b\"\nstatus = 304\n", "is not a redirect"},
  };
  for (const auto& [text, problem] : cases) {
    EXPECT_NE(problem_of(text).find(problem), std::string::npos) << text << problem_of(text);
  }
}

class Pages : public testing::Test {
 protected:
  Pages() {
    std::string pattern = "/tmp/pushrod-pages-XXXXXX";
    directory_ = mkdtemp(pattern.data());
    rules_.pages[503] = "errors/503.html";
  }
  ~Pages() override { remove_tree(directory_); }
  std::string problem() {
    try {
      with_pages(rules_, directory_);
      return "accepted";
    } catch (const UserError& error) {
      return error.message();
    }
  }
  fs::path directory_;
  HttpRules rules_;
};

TEST_F(Pages, AreReadFromTheTreeWithoutFollowingLinks) {
  EXPECT_NE(problem().find("has no file errors/503.html"), std::string::npos) << problem();
  make_directory(directory_ / "errors");
  write_file(directory_ / "errors/503.html", "<h1>Back soon</h1>\n", 0600, false);
  EXPECT_EQ(with_pages(rules_, directory_).pages.at(503), "<h1>Back soon</h1>\n");
  fs::rename(directory_ / "errors", directory_ / "other");
  fs::create_symlink("other", directory_ / "errors");
  EXPECT_NE(problem().find("symbolic link"), std::string::npos) << problem();
}

}  // namespace
}  // namespace pushrod
