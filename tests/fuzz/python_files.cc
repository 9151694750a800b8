// pyproject.toml, and the lock files of Pipenv, uv, Poetry and PDM.
#include "base/error.hh"
#include "build/python_packages.hh"
#include "config/pyproject.hh"
#include "fuzz.hh"

namespace pushrod {

void fuzz(std::string_view bytes) {
  const std::string text(bytes);
  static_cast<void>(parse_pyproject(text));
  for (const auto& parse : {parse_uv_lock, parse_pdm_lock}) {
    try {
      static_cast<void>(parse(text));
    } catch (const UserError&) {
    }
  }
  try {
    static_cast<void>(parse_poetry_lock(text, text));
  } catch (const UserError&) {
  }
  if (const auto lock = parse_pipfile_lock(text)) {
    for (const auto& line : lock->requirements) {
      require(line.find('\n') == std::string::npos, "a requirement is one line");
    }
  }
}

}  // namespace pushrod
