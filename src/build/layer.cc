// Names layers.
#include "build/layer.hh"

#include <fmt/format.h>
#include <sodium.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

#include "base/text.hh"
#include "build/modern_yarn.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

// Without a case: npm reads its variables in any.
constexpr std::array<std::string_view, 21> kRead{
    "npm_",    "node_",     "yarn_",   "pnpm_",    "bun_",      "pip_",      "python",
    "uv_",     "http_",     "https_",  "no_proxy", "all_proxy", "puppeteer", "playwright",
    "cypress", "sentrycli", "prisma_", "sharp_",   "electron_", "bundle_",   "gem_"};

bool is_read_by_tools(std::string_view name) {
  std::string folded(name);
  for (char& character : folded) {
    if (character >= 'A' && character <= 'Z') character = static_cast<char>(character - 'A' + 'a');
  }
  return std::any_of(kRead.begin(), kRead.end(), [&](std::string_view prefix) { return folded.starts_with(prefix); });
}

bool is_part_of_name(char character) {
  return (std::isalnum(static_cast<unsigned char>(character)) != 0) || character == '_';
}

// "${NPM_TOKEN}", "${NPM_TOKEN:-none}", "$NPM_TOKEN"; in a Gemfile, ENV["NPM_TOKEN"] and ENV.fetch("NPM_TOKEN")
bool names(const std::string& text, const std::string& variable) {
  for (const std::string before : {"${", "$", "ENV[\"", "ENV['", "ENV.fetch(\"", "ENV.fetch('"}) {
    const auto reference = before + variable;
    for (auto at = text.find(reference); at != std::string::npos; at = text.find(reference, at + 1)) {
      const auto end = at + reference.size();
      if (end == text.size() || !is_part_of_name(text[end])) return true;
    }
  }
  return false;
}

bool is_named(const LayerPlan& plan, const std::string& variable) {
  return std::any_of(
             plan.files.begin(), plan.files.end(),
             [&](const auto& file) { return !is_program_of_yarn(file.first) && names(file.second, variable); }) ||
         std::any_of(plan.steps.begin(), plan.steps.end(),
                     [&](const BuildStep& step) { return names(step.command, variable); });
}

class Hash {
 public:
  Hash() { crypto_generichash_init(&state_, nullptr, 0, kBytes); }
  // With its length, so that no two lists of texts are one.
  Hash& add(std::string_view text) {
    const auto length = fmt::format("{}:", text.size());
    update(length);
    update(text);
    return *this;
  }
  std::string hexadecimal() {
    std::array<unsigned char, kBytes> bytes{};
    crypto_generichash_final(&state_, bytes.data(), bytes.size());
    std::string text;
    for (const auto byte : bytes) text += fmt::format("{:02x}", byte);
    return text;
  }

 private:
  static constexpr std::size_t kBytes = 16;
  void update(std::string_view text) {
    crypto_generichash_update(&state_, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  }
  crypto_generichash_state state_{};
};

}  // namespace

std::optional<std::string> below_app(const ReleaseMount& mount) {
  constexpr std::string_view kApp = "/app/";
  if (!mount.path.starts_with(kApp)) return std::nullopt;
  return mount.path.substr(kApp.size());
}

Environment layer_settings(const LayerPlan& plan, const Environment& settings) {
  Environment seen;
  for (const auto& [name, value] : settings) {
    if (is_read_by_tools(name) || is_named(plan, name)) seen.emplace(name, value);
  }
  return seen;
}

bool names_files_of_app(const Environment& variables) {
  return std::any_of(variables.begin(), variables.end(), [](const auto& variable) {
    const auto& [name, value] = variable;
    const bool is_path = value.starts_with('.') || value.find("/app/") != std::string::npos || value.ends_with("/app");
    const bool is_relative = (name == "PIP_FIND_LINKS" || name == "PIP_CONSTRAINT" || name == "PIP_REQUIREMENT") &&
                             value.find("://") == std::string::npos && !value.starts_with('/');
    return is_path || is_relative;
  });
}

std::string layer_name(const LayerPlan& plan, const Environment& environment) {
  Hash hash;
  hash.add("1").add(plan.kind).add(plan.tools).add(script(plan.steps)).add(to_json(plan.mounts));
  hash.add(std::to_string(plan.files.size()));
  for (const auto& [path, content] : plan.files) hash.add(path).add(content);
  for (const auto& [name, value] : environment) hash.add(name).add(value);
  return plan.kind + "-" + hash.hexadecimal();
}

std::string describe_tools(const std::vector<fs::path>& program_directories, const std::vector<std::string>& programs) {
  utsname machine{};
  uname(&machine);
  std::string text = fmt::format("{}\n{}\n", machine.machine, read_file("/etc/os-release").value_or(""));
  for (const auto& name : programs) {
    for (const auto& directory : program_directories) {
      struct stat status = {};
      if (stat((directory / name).c_str(), &status) != 0) continue;
      text += fmt::format("{} {} {} {}\n", (directory / name).native(), status.st_size, status.st_mtim.tv_sec,
                          status.st_mtim.tv_nsec);
      break;
    }
  }
  return text;
}

}  // namespace pushrod
