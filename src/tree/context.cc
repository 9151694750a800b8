// What every command works on, made when it is first needed.
#include "tree/context.hh"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "base/error.hh"
#include "base/text.hh"
#include "os/command.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

// Without symbolic links, so that all code that records or compares the path has the same one.
std::filesystem::path resolved(const std::filesystem::path& root) {
  std::error_code error;
  auto path = std::filesystem::weakly_canonical(root, error);
  if (error) {
    throw UserError(fmt::format("the root {} cannot be resolved: {}", quoted(root.string()), error.message()),
                    "choose another root directory: --root DIR, or $PUSHROD_ROOT");
  }
  return path;
}

void check_root(const std::filesystem::path& root) {
  struct stat status = {};
  if (lstat(root.c_str(), &status) != 0) {
    if (errno != ENOENT) throw_errno("looking at the root directory " + root.string());
    try {
      make_directory(root, 0700);
    } catch (const SystemError& error) {
      throw UserError(error.message(), "choose another root directory: --root DIR, or $PUSHROD_ROOT");
    }
    return;
  }
  // A link that leads somewhere has been resolved.
  if (S_ISLNK(status.st_mode)) {
    throw UserError(fmt::format("the root {} is a symbolic link to {}, which is not there", quoted(root.string()),
                                quoted(std::filesystem::read_symlink(root).string())),
                    "make that directory, with mode 700, or choose another one with --root");
  }
  if (!S_ISDIR(status.st_mode)) throw UserError(fmt::format("the root {} is not a directory", quoted(root.string())));
  if (status.st_uid != geteuid()) {
    throw UserError(fmt::format("the root directory {} belongs to another user", quoted(root.string())),
                    "run this as that user, or choose another one with --root");
  }
  if ((status.st_mode & 0077) != 0) {
    throw UserError(fmt::format("the root directory {} is open to other users", quoted(root.string())),
                    "close it: chmod 700 " + shell_quoted(root.string()));
  }
}

}  // namespace

Context::Context(const std::filesystem::path& root, Caller caller)
    : Session((check_root(root), root), std::move(caller), [](const Layout& layout, const Settings& settings) {
        return Engines{std::make_unique<LocalEngine>(layout, settings, own_program().parent_path()),
                       std::make_unique<LocalIngress>(layout, settings)};
      }) {}

const LocalEngine& Context::local_engine() { return static_cast<const LocalEngine&>(engine()); }

const LocalIngress& Context::local_ingress() { return static_cast<const LocalIngress&>(ingress()); }

App Context::require_app(const std::string& name, Right right) {
  return Session::require_app(AppName::parse(name), right);
}

void Context::note_if_down() {
  try {
    engine().check_ready();
  } catch (const UserError& error) {
    fmt::print(stderr, "Note: {}.\n", error.message());
  }
}

std::filesystem::path choose_root(const std::string& option) {
  std::filesystem::path root = option;
  if (root.empty()) {
    if (const char* variable = getenv("PUSHROD_ROOT"); variable != nullptr && *variable != '\0') root = variable;
  }
  if (root.empty()) {
    const char* home = getenv("HOME");
    if (home == nullptr || *home == '\0') throw UserError("$HOME is not set", "say where the root is with --root");
    root = std::filesystem::path(home) / "pushrod";
  }
  root = std::filesystem::absolute(root).lexically_normal();
  if (!root.has_filename()) root = root.parent_path();
  return resolved(root);
}

}  // namespace pushrod
