// pushrod.toml.
#include "config/app_manifest.hh"
#include "fuzz.hh"

namespace pushrod {

void fuzz(std::string_view bytes) {
  may_refuse([&] { return parse_manifest(std::string(bytes), "pushrod.toml"); });
}

}  // namespace pushrod
