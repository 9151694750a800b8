// ./spec as the shim reads it.
#include "sandbox/shim_spec.hh"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.hh"
#include "base/text.hh"

namespace pushrod {
namespace {

using namespace std::string_literals;

bool has(const std::string& spec, const std::string& entry) {
  const auto entries = split(spec, '\0');
  return std::find(entries.begin(), entries.end(), entry) != entries.end();
}

TEST(ExecSpec, IsModeArgumentsAndVariables) {
  EXPECT_EQ(render_exec_spec({"haproxy", "-W"}, {{"A", "1"}, {"B", "x\ny $z"}}, false),
            "mode=exec\0arg=haproxy\0arg=-W\0env=A=1\0env=B=x\ny $z\0"s);
  EXPECT_TRUE(has(render_exec_spec({"haproxy"}, {}, true), "keep_listeners=1"));
}

TEST(SandboxSpec, NamesItsLockAndMarksItsVariables) {
  Sandbox sandbox;
  sandbox.command = "exec ./serve";
  sandbox.environment = {{"LD_PRELOAD", "/app/x.so"}};
  sandbox.shim = "/opt/pushrod-shim";
  const std::string spec = render_sandbox_spec(sandbox);
  EXPECT_TRUE(spec.starts_with("mode=sandbox\0lock=lock\0arg=bwrap\0"s));
  EXPECT_TRUE(spec.ends_with("arg=/.pushrod-shim\0arg=init\0arg=inotify=64\0arg=open_files=12288\0arg=--\0arg="s +
                             command_shell() +
                             "\0arg=-c\0arg=exec ./serve\0"
                             "env=+LD_PRELOAD=/app/x.so\0"s));
  EXPECT_FALSE(has(spec, "arg=--die-with-parent"));
}

TEST(SandboxSpec, NamesASecondStopSignal) {
  EXPECT_EQ(with_second_stop("mode=sandbox\0"s, 3, Milliseconds{30'000}),
            "second_stop=3\0second_stop_after=30000\0mode=sandbox\0"s);
}

TEST(JobSpec, KeepsTheStreamsOfItsClient) {
  Sandbox sandbox;
  sandbox.command = "x";
  sandbox.shim = "/opt/pushrod-shim";
  EXPECT_TRUE(has(render_job_spec(sandbox), "keep_stdin=1"));
  EXPECT_TRUE(has(render_job_spec(sandbox), "keep_stderr=1"));
  EXPECT_FALSE(has(render_sandbox_spec(sandbox), "keep_stdin=1"));
}

TEST(SandboxSpec, RefusesWhatTheShimCouldNotRead) {
  Sandbox sandbox;
  sandbox.shim = "/opt/pushrod-shim";
  sandbox.environment = {{"A", "x\0mode=exec"s}};
  EXPECT_THROW(render_sandbox_spec(sandbox), UserError);
  sandbox.environment = {{"A", std::string(2 << 20, 'x')}};
  EXPECT_THROW(render_sandbox_spec(sandbox), UserError);
}

}  // namespace
}  // namespace pushrod
