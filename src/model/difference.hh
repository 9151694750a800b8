// What differs between two releases of an app.
// Pure.
#pragma once

#include <string>
#include <vector>

#include "model/release.hh"

namespace pushrod {

// `from` or `to` may be empty. Settings are listed by name, never by value.
struct Difference {
  std::string what;  // "process web"
  std::string from, to;
};

std::vector<Difference> differences(const Release& before, const Release& after);

}  // namespace pushrod
