// pyproject.toml → PyProject. The file is for other tools, so nothing in it is refused here.
#include "config/pyproject.hh"

#include <algorithm>

#include "base/error.hh"
#include "config/python_lock.hh"
#include "config/toml_section.hh"

namespace pushrod {

namespace {

void read_project(TomlSection project, PyProject& read) {
  read.own_name = normal_python_name(project.text("name").value_or(""));
  read.requires_python = project.text("requires-python").value_or("");
  read.dependencies = project.texts("dependencies").value_or(std::vector<std::string>{});
  for (const auto& requirement : read.dependencies) read.names.push_back(python_requirement_name(requirement));
  read.has_programs = project.has("scripts");
  const auto dynamic = project.texts("dynamic").value_or(std::vector<std::string>{});
  read.computes_dependencies = std::find(dynamic.begin(), dynamic.end(), "dependencies") != dynamic.end();
}

void read_poetry(TomlSection poetry, PyProject& read) {
  bool is_package = true;
  poetry.flag("package-mode", is_package);
  if (!is_package) read.is_package = false;
  if (poetry.has("scripts")) read.has_programs = true;
  auto dependencies = poetry.section("dependencies");
  if (!dependencies) return;
  const auto names = dependencies->keys();
  const bool has_python = dependencies->has("python");
  if (has_python && read.requires_python.empty()) read.requires_python = dependencies->text("python").value_or("");
  for (const auto& name : names) {
    if (name != "python") read.names.push_back(normal_python_name(name));
  }
  if (names.size() > (has_python ? 1U : 0U)) read.computes_dependencies = true;
}

}  // namespace

std::optional<PyProject> parse_pyproject(const std::string& text) {
  try {
    const TomlDocument document(text, "pyproject.toml");
    TomlSection top = document.top();
    PyProject read;
    read.is_package = top.has("build-system");
    if (auto project = top.section("project")) read_project(*std::move(project), read);
    if (auto tool = top.section("tool")) {
      if (auto poetry = tool->section("poetry")) read_poetry(*std::move(poetry), read);
    }
    return read;
  } catch (const UserError&) {
    return std::nullopt;
  }
}

}  // namespace pushrod
