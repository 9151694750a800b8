// server.toml, and the sizes and durations in it.
#include "config/settings_file.hh"
#include "fuzz.hh"

namespace pushrod {

void fuzz(std::string_view bytes) {
  may_refuse([&] { return parse_settings(std::string(bytes), "server.toml"); });
}

}  // namespace pushrod
