// A module or a program that is not there: which file of the app names it, or which package of the machine has it.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/text.hh"
#include "diagnosis/facts.hh"

namespace pushrod {

namespace {

// Programs of the machine, by the package of Debian that has them.
struct SystemProgram {
  std::string_view name, package;
};
constexpr SystemProgram kSystemPrograms[] = {
    {"node", "nodejs"},
    {"npm", "npm"},
    {"npx", "npm"},
    {"python3", "python3"},
    {"pip", "python3-pip"},
    {"pip3", "python3-pip"},
    {"ruby", "ruby"},
    {"bundle", "ruby-bundler"},
    {"gem", "ruby"},
    {"go", "golang-go"},
    {"java", "default-jre-headless"},
    {"javac", "default-jdk-headless"},
    {"mvn", "maven"},
    {"gradle", "gradle"},
    {"php", "php-cli"},
    {"composer", "composer"},
    {"perl", "perl"},
    {"cargo", "cargo"},
    {"rustc", "rustc"},
    {"gcc", "build-essential"},
    {"cc", "build-essential"},
    {"g++", "build-essential"},
    {"c++", "build-essential"},
    {"make", "build-essential"},
    {"cmake", "cmake"},
    {"git", "git"},
    {"curl", "curl"},
    {"wget", "wget"},
    {"ffmpeg", "ffmpeg"},
    {"convert", "imagemagick"},
    {"psql", "postgresql-client"},
    {"pg_dump", "postgresql-client"},
    {"pg_config", "libpq-dev"},
    {"mysql", "default-mysql-client"},
    {"redis-cli", "redis-tools"},
    {"sqlite3", "sqlite3"},
    {"elixir", "elixir"},
    {"erl", "erlang-base"},
    {"dotnet", ""},
    {"deno", ""},
    {"bun", ""},
    {"gs", "ghostscript"},
    {"pandoc", "pandoc"},
    {"pkg-config", "pkg-config"},
    {"unzip", "unzip"},
    {"zip", "zip"},
    {"nginx", "nginx"},
    {"sudo", ""},
    {"docker", ""},
    {"systemctl", ""},
};

// Programs that come with an app's dependencies, by the file that names these.
struct DependencyProgram {
  std::string_view name, file;
};
constexpr DependencyProgram kDependencyPrograms[] = {
    {"gunicorn", "requirements.txt"},
    {"uvicorn", "requirements.txt"},
    {"hypercorn", "requirements.txt"},
    {"daphne", "requirements.txt"},
    {"flask", "requirements.txt"},
    {"celery", "requirements.txt"},
    {"django-admin", "requirements.txt"},
    {"streamlit", "requirements.txt"},
    {"fastapi", "requirements.txt"},
    {"alembic", "requirements.txt"},
    {"waitress-serve", "requirements.txt"},
    {"poetry", "requirements.txt"},
    {"pipenv", "requirements.txt"},
    {"uv", "requirements.txt"},
    {"rails", "Gemfile"},
    {"rake", "Gemfile"},
    {"puma", "Gemfile"},
    {"rackup", "Gemfile"},
    {"unicorn", "Gemfile"},
    {"sidekiq", "Gemfile"},
    {"yarn", "package.json"},
    {"pnpm", "package.json"},
    {"next", "package.json"},
    {"vite", "package.json"},
    {"tsc", "package.json"},
    {"ts-node", "package.json"},
    {"tsx", "package.json"},
    {"nodemon", "package.json"},
    {"webpack", "package.json"},
    {"pm2", "package.json"},
    {"serve", "package.json"},
    {"nx", "package.json"},
};

struct LanguageFile {
  std::string_view language, file, how;
};
constexpr LanguageFile kLanguages[] = {
    {"Python", "requirements.txt", "add the package that has it to requirements.txt"},
    {"Node.js", "package.json", "run `npm install {}`, and commit package.json and its lock file"},
    {"Ruby", "Gemfile", "add it to the Gemfile, and run bundle lock"},
    {"PHP", "composer.json", "add it with composer require, and commit composer.json and composer.lock"},
    {"Perl", "cpanfile", "install it in [build] command, or have the administrator install its package"},
};

// Where the app says what Python packages it needs, and how one is added there. The first that is there counts.
constexpr LanguageFile kPythonFiles[] = {
    {"Python", "requirements.txt", "add the package that has it to requirements.txt"},
    {"Python", "uv.lock", "uv add the package that has it, and commit pyproject.toml and uv.lock"},
    {"Python", "poetry.lock", "poetry add the package that has it, and commit pyproject.toml and poetry.lock"},
    {"Python", "pdm.lock", "pdm add the package that has it, and commit pyproject.toml and pdm.lock"},
    {"Python", "Pipfile.lock", "pipenv install the package that has it, and commit Pipfile and Pipfile.lock"},
    {"Python", "pyproject.toml", "add the package that has it to the dependencies in pyproject.toml"},
};

const LanguageFile* python_file(const Facts& facts) {
  const auto* found = std::find_if(std::begin(kPythonFiles), std::end(kPythonFiles),
                                   [&](const auto& each) { return is_in_code(facts, std::string(each.file)); });
  return found == std::end(kPythonFiles) ? nullptr : found;
}

}  // namespace

std::string explain_missing_program(const Facts& facts, const std::string& name) {
  const auto shown = quoted(name, 100);
  if (name == "python") return "\"python\" was not found: on this machine its name is python3";
  const auto* dependency = std::find_if(std::begin(kDependencyPrograms), std::end(kDependencyPrograms),
                                        [&](const auto& each) { return each.name == name; });
  if (dependency != std::end(kDependencyPrograms)) {
    const auto* file = dependency->file == kPythonFiles[0].file ? python_file(facts) : nullptr;
    return fmt::format("{} was not found: add it to the dependencies in {}", shown,
                       file == nullptr ? dependency->file : file->file);
  }
  const auto* program = std::find_if(std::begin(kSystemPrograms), std::end(kSystemPrograms),
                                     [&](const auto& each) { return each.name == name; });
  if (program != std::end(kSystemPrograms)) {
    if (program->package.empty()) return fmt::format("{} is not installed on this machine", shown);
    return fmt::format("{} is not installed on this machine; its administrator can install it: apt-get install {}",
                       shown, program->package);
  }
  for (const auto& language : kLanguages) {
    if (!is_in_code(facts, std::string(language.file))) continue;
    return fmt::format("{} was not found: correct its name, add it to {}, or have the administrator install it", shown,
                       language.file);
  }
  return fmt::format("{} was not found: correct its name, or have the administrator install it", shown);
}

std::string explain_missing_module(const Facts& facts, std::string_view language, const std::string& module) {
  // The app's own module, looked for in the wrong place: a dependency file does not help.
  const auto first = module.substr(0, module.find_first_of("./:"));
  for (const auto* ending : {"", ".py", ".js", ".rb", ".ts"}) {
    if (!first.empty() && is_in_code(facts, first + ending)) return {};
  }
  const auto* found = std::find_if(std::begin(kLanguages), std::end(kLanguages),
                                   [&](const auto& each) { return each.language == language; });
  if (found == std::end(kLanguages)) return {};
  if (const auto* file = python_file(facts); language == "Python" && file != nullptr) found = file;
  const bool has_file = is_in_code(facts, std::string(found->file));
  return fmt::format("the {} module {} is not installed: {}{}", language, quoted(module, 100),
                     has_file ? "" : fmt::format("the app has no {}; ", found->file),
                     fmt::format(fmt::runtime(found->how), escaped(module, 100)));
}

}  // namespace pushrod
