// Lock files of Python's package managers: uv.lock, poetry.lock, pdm.lock → the packages of production.
// They are written by uv, Poetry and PDM, whose format this follows:
// https://docs.astral.sh/uv/concepts/projects/layout, https://python-poetry.org/docs/libraries/#lock-file,
// https://pdm-project.org/en/latest/usage/lock-targets/. Nothing is resolved here: versions, hashes and markers are
// those of the file.
#pragma once

#include <string>
#include <vector>

namespace pushrod {

struct LockedFile {
  std::string name;  // "flask-3.0.3-py3-none-any.whl"
  std::string hash;  // "sha256:0a1b…"
};

struct LockedPackage {
  std::string name;                 // in the normal form of PEP 503
  std::string version;              // empty where `place` says all
  std::string place{};              // instead of an index: "git+https://…@0a1b", "https://…", "./packages/own"
  std::string marker{};             // on which machines; empty: on all
  std::vector<LockedFile> files{};  // that an index has of it
};

struct PythonLock {
  std::vector<LockedPackage> packages;  // those for production, without the app itself
  std::vector<std::string> indexes;     // addresses besides PyPI's; or directories of packages, with "./"
  bool uses_pypi = false;               // or what pip is told to use instead of it
  std::vector<std::string> roots;       // what the manifest asked for when the file was written, if the file tells
};

// These throw UserError for a text that is not such a file, or that does not say enough.
PythonLock parse_uv_lock(const std::string& text);
PythonLock parse_pdm_lock(const std::string& text);
// Older files say neither which packages are for production nor on which machines; pyproject.toml does.
PythonLock parse_poetry_lock(const std::string& text, const std::string& pyproject);

// "Flask_SQLAlchemy" → "flask-sqlalchemy" (PEP 503).
std::string normal_python_name(std::string_view name);
// Of a requirement as PEP 508 has it: "Flask[async] >= 3" → "flask".
std::string python_requirement_name(std::string_view requirement);

}  // namespace pushrod
