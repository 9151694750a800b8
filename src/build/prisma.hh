// Prisma's client is code that is made from the app's schema. Used inside build/ only.
#pragma once

#include <optional>
#include <string>

#include "build/builders.hh"
#include "build/package_json.hh"

namespace pushrod {

// Up to version 6, installing @prisma/client generates the client, which the packages of a layer cannot do: they know
// no schema. Absent if the app has none, or one of its scripts does it.
std::optional<BuildStep> generate_prisma_client(const AppTree& tree, const std::string& where,
                                                const PackageJson& package);

}  // namespace pushrod
