#include "build/prisma.hh"

#include <algorithm>

#include "os/files.hh"

namespace pushrod {

std::optional<BuildStep> generate_prisma_client(const AppTree& tree, const std::string& where,
                                                const PackageJson& package) {
  const auto directory = tree.root / where;
  if (!package.dependencies.contains("@prisma/client") || !package.dependencies.contains("prisma")) return std::nullopt;
  const bool has_schema =
      !package.prisma_schema.empty() || is_directory(directory / "prisma") || in_tree(directory, "schema.prisma");
  const bool does_it = std::any_of(package.scripts.begin(), package.scripts.end(), [](const auto& script) {
    return script.second.find("prisma generate") != std::string::npos;
  });
  if (!has_schema || does_it) return std::nullopt;
  // Installing goes on without a client, too.
  auto step = step_in(tree, where, "prisma generate || echo 'The app has no Prisma client: see above'");
  step.shown = "prisma generate";
  return step;
}

}  // namespace pushrod
