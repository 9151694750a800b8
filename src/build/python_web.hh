// How a Python app without a Procfile is served: Django, FastAPI and Starlette, Flask. Used inside build/ only.
#pragma once

#include <set>
#include <string>

#include "build/builders.hh"

namespace pushrod {

// Sets the plan's guessed_web; or, where the server is not among the packages, what the author is told about it.
// `packages`: what is installed (installed_names()), which `file` says.
void plan_python_web(const AppTree& tree, const std::string& file, const std::set<std::string>& packages,
                     BuildPlan& plan);

// What a module's code says: the application object that it makes, and how.
struct PythonApplication {
  std::string framework;    // "Flask", "FastAPI"; empty: whatever the packages say
  std::string object;       // "app"
  bool is_factory = false;  // the object is a function that returns it
};
// The first at the beginning of a line: "app = Flask(__name__)", "application: FastAPI = FastAPI()", "def
// create_app():".
std::optional<PythonApplication> find_python_application(const std::string& code);

}  // namespace pushrod
