// Rust: Cargo.toml → cargo build --release; the programs are copied to bin/. The registry and the target directory are
// kept in the app's cache. Cargo compares times of files: those of a checkout are always newer, so the app's own crates
// are compiled again, and those that it depends on are not.
#include <fmt/format.h>

#include "base/text.hh"
#include "build/languages.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

// The name in [package]; empty: a workspace without a package of its own.
std::string package_name(const std::string& cargo_toml) {
  bool in_package = false;
  for (const std::string& line : lines_of(cargo_toml)) {
    const auto text = trim(line);
    if (text.starts_with('[')) in_package = text == "[package]";
    if (!in_package || !text.starts_with("name")) continue;
    const auto parts = split(std::string(text), '"');
    if (parts.size() == 3) return parts[1];
  }
  return {};
}

// What was built before must not be copied when the app no longer has it.
constexpr const char* kBuild =
    R"sh(programs() { find "$CARGO_TARGET_DIR/release" -maxdepth 1 -type f -perm -u+x ! -name '*.so' ! -name '*.d' "$@"; }
if [ -d "$CARGO_TARGET_DIR/release" ]; then programs -delete; fi
cargo build --release)sh";
constexpr const char* kCopy = "mkdir -p bin && programs -exec cp {} bin/ \\;\n";

}  // namespace

std::optional<BuildPlan> plan_rust(const AppTree& tree, const std::string& where, const Host& host) {
  const auto cargo_toml = read_tree_file(tree.root / where, "Cargo.toml", std::size_t{1} << 20);
  if (!cargo_toml) return std::nullopt;
  require_program(host, "cargo", "cargo");
  require_program(host, "cc", "gcc libc6-dev");
  BuildPlan plan;
  plan.language = "Rust";
  plan.environment["PATH"] = path_variable();
  plan.build_environment["CARGO_TARGET_DIR"] = "/cache/cargo-target";
  const bool locked = tree.nearest({"Cargo.lock"}).has_value();
  const std::string flag = locked ? " --locked" : "";
  plan.description = "Rust, Cargo.toml, cargo build --release" + flag;
  if (!locked) {
    plan.notices.push_back(
        "there is no Cargo.lock, so a push may get other versions of packages: run cargo build and commit it");
  }
  plan.steps = {{.command = kBuild + flag + "\n" + kCopy, .shown = "cargo build --release" + flag}};
  const auto name = package_name(*cargo_toml);
  const auto directory = tree.root / where;
  if (!name.empty() && is_directory(directory / "src") && in_tree(directory / "src", "main.rs")) {
    plan.guessed_web = Process{.type = ProcessType::parse("web"), .command = "bin/" + shell_quoted(name), .health = {}};
  }
  plan.looked_for = "no src/main.rs";
  plan.usual_command = "bin/app";
  return plan;
}

}  // namespace pushrod
