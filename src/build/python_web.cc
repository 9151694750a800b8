// Finds the application object in the code, and the server for it among the packages. The code is only read: what a
// line does not say at its beginning is left to a Procfile.
#include "build/python_web.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

#include "base/error.hh"
#include "base/text.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

constexpr std::size_t kCodeCap = std::size_t{1} << 19;
constexpr std::size_t kMostModules = 60;

enum class Interface { Wsgi, Asgi };

struct Framework {
  const char* call;
  const char* name;
  Interface interface;
};
constexpr std::array<Framework, 11> kFrameworks{{
    {"Flask", "Flask", Interface::Wsgi},
    {"APIFlask", "Flask", Interface::Wsgi},
    {"Bottle", "Bottle", Interface::Wsgi},
    {"app.server", "Dash", Interface::Wsgi},
    {"get_wsgi_application", "Django", Interface::Wsgi},
    {"get_asgi_application", "Django", Interface::Asgi},
    {"FastAPI", "FastAPI", Interface::Asgi},
    {"Starlette", "Starlette", Interface::Asgi},
    {"Litestar", "Litestar", Interface::Asgi},
    {"Quart", "Quart", Interface::Asgi},
    {"BlackSheep", "BlackSheep", Interface::Asgi},
}};

struct Server {
  const char* package;
  Interface interface;
  const char* command;  // {0}: module:object
  const char* factory;  // what makes it call the object first; null: "{0}()" is understood
};
// In the order of preference.
const std::vector<Server>& servers() {
  static const std::vector<Server> kList{
      {"gunicorn", Interface::Wsgi, "gunicorn --bind 127.0.0.1:$PORT {0}", nullptr},
      {"waitress", Interface::Wsgi, "waitress-serve --listen=127.0.0.1:$PORT {0}", "--call "},
      {"uvicorn", Interface::Asgi, "uvicorn --host 127.0.0.1 --port $PORT {0}", "--factory "},
      {"hypercorn", Interface::Asgi, "hypercorn --bind 127.0.0.1:$PORT {0}", nullptr},
      {"daphne", Interface::Asgi, "daphne -b 127.0.0.1 -p $PORT {0}", nullptr},
  };
  return kList;
}

// Packages that bring a server without naming it.
bool is_installed(const std::set<std::string>& packages, const std::string& server) {
  if (packages.contains(server)) return true;
  return server == "uvicorn" && (packages.contains("fastapi[standard]") || packages.contains("fastapi[all]"));
}

bool is_identifier(std::string_view text) {
  return !text.empty() && std::isdigit(static_cast<unsigned char>(text.front())) == 0 &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
}

// "Flask" of " flask.Flask(__name__)"; "create_app" of "create_app()".
std::string_view called(std::string_view expression) {
  expression = trim(expression.substr(0, expression.find('(')));
  if (const auto end = expression.find_last_of("=. "); end != expression.npos) expression.remove_prefix(end + 1);
  return expression;
}

const Framework* framework_called(std::string_view expression) {
  const bool is_call = expression.find('(') != expression.npos && !expression.starts_with('=');
  const auto name = is_call ? called(expression) : trim(expression);
  const auto found = std::find_if(kFrameworks.begin(), kFrameworks.end(), [&](const Framework& each) {
    return name == each.call && is_call == (std::string_view(each.call).find('.') == std::string_view::npos);
  });
  return found == kFrameworks.end() ? nullptr : &*found;
}

bool makes_application(std::string_view name) {
  return name == "create_app" || name == "make_app" || name == "get_app";
}

// A function of this line that needs nothing to be given: "def create_app(config=None):".
bool is_factory(std::string_view line) {
  constexpr std::string_view kDef = "def ";
  const auto open = line.find('(');
  if (!line.starts_with(kDef) || open == line.npos || !makes_application(trim(line.substr(4, open - 4)))) return false;
  const auto close = line.find(')', open);
  if (close == line.npos) return false;
  const auto given = line.substr(open + 1, close - open - 1);
  if (trim(given).empty()) return true;
  const auto parts = split(given, ',');
  return std::all_of(parts.begin(), parts.end(), [](const std::string& part) {
    return part.find('=') != part.npos || trim(part).starts_with('*') || trim(part).empty();
  });
}

std::string framework_used(const std::string& code) {
  for (const auto& framework : kFrameworks) {
    if (code.find(std::string(framework.call) + "(") != code.npos) return framework.name;
  }
  return {};
}

}  // namespace

std::optional<PythonApplication> find_python_application(const std::string& code) {
  std::optional<PythonApplication> factory;
  for (const std::string& line : lines_of(code)) {
    if (is_factory(line)) {
      const auto open = line.find('(');
      factory = PythonApplication{framework_used(code), std::string(trim(line.substr(4, open - 4))), true};
    }
    const auto equals = line.find('=');
    if (equals == line.npos || line.starts_with(' ') || line.starts_with('\t')) continue;
    const auto object = trim(std::string_view(line).substr(0, std::min(line.find(':'), equals)));
    if (!is_identifier(object)) continue;
    const auto expression = std::string_view(line).substr(equals + 1);
    if (const auto* framework = framework_called(expression)) {
      return PythonApplication{framework->name, std::string(object), false};
    }
    if (expression.find('(') != expression.npos && makes_application(called(expression))) {
      return PythonApplication{framework_used(code), std::string(object), false};
    }
  }
  return factory;
}

namespace {

std::string code_of(const fs::path& file) {
  try {
    if (!is_plain_file(file) || fs::file_size(file) > kCodeCap) return {};
    return read_file(file, kCodeCap, /*follow=*/false).value_or("");
  } catch (const Error&) {
    return {};
  }
}

struct Module {
  std::string name;  // "app.main"
  std::string file;  // "app/main.py"
  std::string path;  // that must be searched for it: "src"; empty: the app's directory
};

bool is_code(const std::string& name) {
  return name.ends_with(".py") && !name.starts_with('.') &&
         is_identifier(std::string_view(name).substr(0, name.size() - 3));
}

// Those with the usual names first.
void add_modules(const fs::path& root, const std::string& directory, const std::string& path,
                 std::vector<Module>& modules) {
  constexpr std::array<std::string_view, 9> kUsual{"app.py", "main.py", "server.py",      "wsgi.py",    "asgi.py",
                                                   "web.py", "api.py",  "application.py", "__init__.py"};
  auto names = list_directory(root / directory);
  std::erase_if(names, [](const std::string& name) { return !is_code(name); });
  const auto rank = [&](const std::string& name) {
    return std::find(kUsual.begin(), kUsual.end(), name) - kUsual.begin();
  };
  std::sort(names.begin(), names.end(),
            [&](const std::string& a, const std::string& b) { return std::pair(rank(a), a) < std::pair(rank(b), b); });
  auto package = directory;
  if (!path.empty()) package.erase(0, std::min(package.size(), path.size() + 1));
  std::replace(package.begin(), package.end(), '/', '.');
  for (const auto& name : names) {
    if (modules.size() >= kMostModules) return;
    const auto stem = name.substr(0, name.size() - 3);
    const auto file = directory.empty() ? name : directory + "/" + name;
    if (stem == "__init__") {
      if (!package.empty()) modules.push_back({package, file, path});
    } else if (stem != "setup" && stem != "conftest" && !stem.starts_with("test")) {
      modules.push_back({package.empty() ? stem : package + "." + stem, file, path});
    }
  }
}

// Of the app's directory, then of the packages in it, then of src/.
std::vector<Module> modules_of(const fs::path& root) {
  std::vector<Module> modules;
  add_modules(root, "", "", modules);
  const auto add_packages = [&](const std::string& path) {
    for (const auto& name : list_directory(root / path)) {
      const auto directory = path.empty() ? name : path + "/" + name;
      const bool is_package = is_identifier(name) && name != "tests" && name != "src" && is_directory(root / directory);
      if (is_package) add_modules(root, directory, path, modules);
    }
  };
  add_packages("");
  if (is_directory(root / "src")) {
    add_modules(root, "src", is_plain_file(root / "src/__init__.py") ? "" : "src", modules);
    add_packages("src");
  }
  return modules;
}

struct Found {
  Module module;
  PythonApplication application;
  Interface interface;
};

Interface interface_of(const std::string& framework, const std::set<std::string>& packages) {
  for (const auto& each : kFrameworks) {
    if (framework == each.name) return each.interface;
  }
  for (const char* name : {"fastapi", "starlette", "quart", "litestar"}) {
    if (packages.contains(name)) return Interface::Asgi;
  }
  return Interface::Wsgi;
}

// "mysite" of os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")
std::string settings_module(const std::string& code) {
  const auto key = code.find("DJANGO_SETTINGS_MODULE");
  if (key == code.npos) return {};
  const auto comma = code.find(',', key);
  const auto open = comma == code.npos ? comma : code.find_first_of("\"'", comma);
  const auto close = open == code.npos ? open : code.find_first_of("\"'", open + 1);
  return close == code.npos ? std::string{} : code.substr(open + 1, close - open - 1);
}

// Django's own files, beside the settings or above them.
std::optional<Found> find_django(const fs::path& top, const std::set<std::string>& packages) {
  const auto project = django_directory(top);
  if (!project) return std::nullopt;
  const auto root = top / *project;
  const bool is_async =
      packages.contains("daphne") || packages.contains("channels") ||
      (!packages.contains("gunicorn") && !packages.contains("waitress") && packages.contains("uvicorn"));
  const std::string file = is_async ? "asgi" : "wsgi";
  auto directory = settings_module(code_of(root / "manage.py"));
  std::replace(directory.begin(), directory.end(), '.', '/');
  std::vector<std::string> places;
  while (directory.find('/') != directory.npos) {
    directory.erase(directory.rfind('/'));
    places.push_back(directory);
  }
  for (const auto& name : list_directory(root)) places.push_back(name);
  for (const auto& place : places) {
    const auto path = place + "/" + file + ".py";
    if (!is_plain_file(root / path)) continue;
    auto module = place + "." + file;
    std::replace(module.begin(), module.end(), '/', '.');
    const auto file_shown = project->empty() ? path : *project + "/" + path;
    return Found{
        {module, file_shown, *project}, {"Django", "application", false}, is_async ? Interface::Asgi : Interface::Wsgi};
  }
  return std::nullopt;
}

std::optional<Found> find_application(const fs::path& root, const std::set<std::string>& packages) {
  if (auto django = find_django(root, packages)) return django;
  std::optional<Found> factory;
  for (auto& module : modules_of(root)) {
    auto application = find_python_application(code_of(root / module.file));
    if (!application || (application->is_factory && factory)) continue;
    const auto interface = interface_of(application->framework, packages);
    Found found{std::move(module), *std::move(application), interface};
    if (!found.application.is_factory) return found;
    factory = std::move(found);
  }
  return factory;
}

std::string command_for(const Server& server, const Found& found) {
  auto target = found.module.name + ":" + found.application.object;
  if (found.application.is_factory) {
    target = server.factory != nullptr ? server.factory + target : shell_quoted(target + "()");
  }
  return fmt::format(fmt::runtime(server.command), target);
}

}  // namespace

void plan_python_web(const AppTree& tree, const std::string& file, const std::set<std::string>& packages,
                     BuildPlan& plan) {
  const auto found = find_application(tree.directory(), packages);
  if (!found) return;
  if (!found->module.path.empty()) {
    plan.environment.emplace("PYTHONPATH", in_sandbox(tree.path) + "/" + found->module.path);
  }
  std::vector<std::string> known;
  for (const auto& server : servers()) {
    if (server.interface != found->interface) continue;
    known.emplace_back(server.package);
    if (known.size() == 1) plan.usual_command = command_for(server, *found);
    if (!is_installed(packages, server.package)) continue;
    plan.guessed_web = Process{.type = ProcessType::parse("web"), .command = command_for(server, *found), .health = {}};
    return;
  }
  const auto framework = found->application.framework.empty() ? "app" : found->application.framework + " app";
  plan.looked_for =
      fmt::format("and {} has no server for the {} in {} ({})", file, framework, found->module.file, join(known, ", "));
  plan.remedy =
      fmt::format("add {} to {}; it then runs \"{}\"; or commit a Procfile", known.front(), file, plan.usual_command);
}

}  // namespace pushrod
