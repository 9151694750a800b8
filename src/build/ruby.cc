// Ruby: Gemfile → bundle install, into /bundle. With a Gemfile.lock that names published gems alone, that is a layer.
#include <fmt/format.h>

#include "base/text.hh"
#include "build/languages.hh"
#include "build/layer.hh"
#include "build/software.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

constexpr std::size_t kCap = std::size_t{4} << 20;

bool mentions(const std::string& text, std::initializer_list<std::string_view> words) {
  for (const auto word : words) {
    if (text.find(word) != std::string::npos) return true;
  }
  return false;
}

// Absent where gems come with the app, or the Gemfile reads other files of it.
std::optional<LayerPlan> ruby_layer(const fs::path& directory, const std::string& where, const std::string& gemfile,
                                    const std::optional<std::string>& lock) {
  if (!lock || is_directory(directory / "vendor/cache") || is_directory(directory / ".bundle")) return std::nullopt;
  if (("\n" + *lock).find("\nPATH\n") != std::string::npos) return std::nullopt;
  if (mentions(gemfile,
               {"eval_gemfile", "File.", "IO.", "Dir", "require_relative", "gemspec", "ruby file:", "load "})) {
    return std::nullopt;
  }
  const std::string prefix = where.empty() ? "" : where + "/";
  LayerPlan layer;
  layer.kind = "ruby";
  layer.files = {{prefix + "Gemfile", gemfile}, {prefix + "Gemfile.lock", *lock}};
  return layer;
}

std::string web_command(const AppTree& tree, const std::string& lock) {
  const auto directory = tree.directory();
  if (is_directory(directory / "bin") && in_tree(directory / "bin", "rails")) {
    return "bin/rails server -b 127.0.0.1 -p $PORT";
  }
  if (!in_tree(directory, "config.ru")) return {};
  if (mentions(lock, {" puma ("})) return "bundle exec puma -b tcp://127.0.0.1:$PORT";
  return "bundle exec rackup -o 127.0.0.1 -p $PORT";
}

}  // namespace

std::optional<BuildPlan> plan_ruby(const AppTree& tree, const std::string& where, const Host& host) {
  const auto directory = tree.root / where;
  const auto gemfile = read_tree_file(directory, "Gemfile", kCap);
  if (!gemfile) return std::nullopt;
  require_program(host, "ruby", "ruby");
  require_program(host, "bundle", "bundler");
  const auto lock = read_tree_file(directory, "Gemfile.lock", kCap);

  BuildPlan plan;
  plan.language = "Ruby";
  plan.environment = {{"PATH", path_variable()},
                      {"BUNDLE_GEMFILE", in_sandbox(where) + "/Gemfile"},
                      {"BUNDLE_PATH", "/bundle"},
                      {"BUNDLE_WITHOUT", "development:test"}};
  if (lock) plan.environment["BUNDLE_DEPLOYMENT"] = "true";
  plan.description = fmt::format("Ruby, {}, bundle install", lock ? "Gemfile.lock" : "Gemfile");
  const ReleaseMount mount{.directory = "bundle", .path = "/bundle"};
  const BuildStep install{"bundle install", in_sandbox(where)};
  if (auto layer = ruby_layer(directory, where, *gemfile, lock)) {
    layer->description = plan.description;
    layer->steps = {install};
    layer->in_place = {step_in(tree, where, install.command)};
    layer->mounts = {mount};
    layer->tools = describe_tools(host.program_directories, {"ruby", "bundle"}) + software_stamp();
    plan.layers.push_back(*std::move(layer));
  } else {
    plan.mounts = {mount};
    plan.steps = {step_in(tree, where, install.command)};
  }
  if (!lock) {
    plan.notices.push_back(
        "there is no Gemfile.lock, so every push installs all gems, in whatever versions are the newest: run bundle "
        "lock and commit it");
  }
  if (auto web = web_command(tree, lock.value_or("")); !web.empty()) {
    plan.guessed_web = Process{.type = ProcessType::parse("web"), .command = std::move(web), .health = {}};
  }
  plan.looked_for = "no bin/rails or config.ru";
  return plan;
}

}  // namespace pushrod
