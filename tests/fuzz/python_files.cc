// pyproject.toml and Pipfile.lock.
#include "build/python_packages.hh"
#include "config/pyproject.hh"
#include "fuzz.hh"

namespace pushrod {

void fuzz(std::string_view bytes) {
  const std::string text(bytes);
  static_cast<void>(parse_pyproject(text));
  if (const auto lock = parse_pipfile_lock(text)) {
    for (const auto& line : lock->requirements) {
      require(line.find('\n') == std::string::npos, "a requirement is one line");
    }
  }
}

}  // namespace pushrod
