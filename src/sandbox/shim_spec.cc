// Renders ./spec, which tells pushrod-shim what to run.
// The shim (src/shim/spec.cc) is its only reader, and src/shim/README.md tells the format.
#include "sandbox/shim_spec.hh"

#include <fmt/format.h>

#include "base/error.hh"
#include "base/text.hh"
#include "sandbox/bwrap.hh"

namespace pushrod {

namespace {

constexpr std::size_t kSpecCap = 1 << 20;  // the shim's

class Spec {
 public:
  void add(std::string_view key, std::string_view value) {
    // The shim would read what follows the NUL as an entry of its own.
    if (value.find('\0') != std::string_view::npos) {
      throw UserError("a NUL byte in " + quoted(value) + " cannot be given to a program");
    }
    text_.append(key).append("=").append(value).push_back('\0');
  }
  void add(const std::vector<std::string>& argv, const Environment& environment) {
    for (const std::string& argument : argv) add("arg", argument);
    for (const auto& [name, value] : environment) add("env", fmt::format("{}={}", name, value));
  }
  std::string take() {
    if (text_.size() > kSpecCap) {
      throw UserError("the command and its variables take more than 1 MiB", "keep large values in files");
    }
    return std::move(text_);
  }

 private:
  std::string text_;
};

}  // namespace

std::string render_exec_spec(const std::vector<std::string>& argv, const Environment& environment,
                             bool keep_listeners) {
  Spec spec;
  spec.add("mode", "exec");
  if (keep_listeners) spec.add("keep_listeners", "1");
  spec.add(argv, environment);
  return spec.take();
}

namespace {
std::string render(const Sandbox& sandbox, bool is_job) {
  Spec spec;
  spec.add("mode", "sandbox");
  if (is_job) spec.add("keep_stdin", "1");
  if (is_job) spec.add("keep_stderr", "1");
  spec.add("lock", "lock");
  if (!sandbox.cgroup.empty()) spec.add("cgroup", (sandbox.cgroup / "cgroup.procs").native());
  spec.add(bwrap_arguments(sandbox, ShimRole::Init, read_host_root()), bwrap_environment(sandbox));
  return spec.take();
}
}  // namespace

std::string render_sandbox_spec(const Sandbox& sandbox) { return render(sandbox, false); }

std::string with_second_stop(std::string spec, int number, Milliseconds after) {
  Spec entries;
  entries.add("second_stop", std::to_string(number));
  entries.add("second_stop_after", std::to_string(after.count()));
  return entries.take() + spec;
}

std::string render_job_spec(const Sandbox& sandbox) { return render(sandbox, true); }

}  // namespace pushrod
