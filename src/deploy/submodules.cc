#include "deploy/submodules.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hh"
#include "build/git_access.hh"
#include "model/source.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

// Its path in /app; absent for one that lies elsewhere.
std::optional<std::string> path_in_app(const std::string& path, const std::string& root) {
  if (root.empty()) return path;
  if (!path.starts_with(root + "/")) return std::nullopt;
  return path.substr(root.size() + 1);
}

void check_address(const Submodule& submodule) {
  constexpr std::array<std::string_view, 3> kSchemes{"https://", "http://", "git://"};
  const auto& url = submodule.url;
  if (url.empty()) throw without_address(submodule.path);
  const bool is_known = is_ssh_address(url) || std::any_of(kSchemes.begin(), kSchemes.end(),
                                                           [&](auto scheme) { return url.starts_with(scheme); });
  const bool is_plain = url.front() != '-' && std::none_of(url.begin(), url.end(), [](unsigned char character) {
                          return character <= ' ' || character == 0x7F;
                        });
  if (is_known && is_plain) return;
  throw UserError(fmt::format("submodule {} is at {}, from where Pushrod cannot fetch it", quoted(submodule.path, 200),
                              quoted(url, 300)),
                  "write its whole address in .gitmodules: https://…, ssh://… or git@host:path");
}

// One commit is enough; some servers do not give one by its name alone.
std::string fetching(const Submodule& submodule, const std::string& path) {
  const auto url = shell_quoted(submodule.url), commit = submodule.commit.str();
  return "export GIT_ALLOW_PROTOCOL=https:http:ssh:git\n"
         "mkdir -p -- " +
         shell_quoted(path) + "\ncd -- " + shell_quoted(path) +
         "\n"
         "git init -q\n"
         "git remote add origin " +
         url +
         "\n"
         "git fetch -q --depth 1 origin " +
         commit +
         " ||\n"
         "  git fetch -q origin '+refs/heads/*:refs/remotes/origin/*' '+refs/tags/*:refs/tags/*'\n"
         "git -c advice.detachedHead=false checkout -q " +
         commit +
         "\n"
         "git submodule -q update --init --recursive --depth 1\n"
         "find . -name .git -prune -exec rm -rf -- {} +";
}

LayerPlan layer_of(const Submodule& submodule, const std::string& path) {
  LayerPlan layer;
  layer.kind = "submodule";
  layer.description = submodule.url;
  layer.submodule = submodule.path;
  layer.steps = {{fetching(submodule, path), "/app"}};
  layer.mounts = {{.directory = "app/" + path, .path = "/app/" + path}};
  return layer;
}

}  // namespace

std::vector<LayerPlan> submodule_layers(const Repository& repository, const Release& release,
                                        const std::filesystem::path& tree) {
  std::vector<LayerPlan> layers;
  if (!is_plain_file(tree / ".gitmodules")) return layers;
  for (const auto& submodule : submodules_of(repository, release.commit)) {
    const auto path = path_in_app(submodule.path, root_of(release.source));
    if (!path) continue;
    check_address(submodule);
    layers.push_back(layer_of(submodule, *path));
  }
  return layers;
}

}  // namespace pushrod
