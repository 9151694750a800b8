// The directories of an app, when it gets another name.
#include "deploy/app_directories.hh"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "base/error.hh"
#include "deploy/trash.hh"
#include "os/exchange.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

struct Pair {
  fs::path from;
  fs::path to;
};

std::vector<Pair> directories(const Layout& layout, const Renaming& renaming) {
  const auto& [from, to] = renaming;
  return {{layout.data(from), layout.data(to)},
          {layout.checkouts(from), layout.checkouts(to)},
          {layout.releases(from), layout.releases(to)},
          {layout.cache(from), layout.cache(to)},
          {layout.logs(from), layout.logs(to)}};
}

bool is_link_to(const fs::path& path, const fs::path& other) {
  std::error_code error;
  return fs::read_symlink(path, error) == other.filename() && !error;
}

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::symlink_status(path, ignored).type() != fs::file_type::not_found;
}

}  // namespace

void link_directories(const Layout& layout, const Renaming& renaming) {
  if (const auto data = layout.data(renaming.to); is_directory(data) && !list_directory(data).empty()) {
    throw UserError(fmt::format("the directory data/{} already exists and is not empty", renaming.to.str()),
                    "choose another name, or have the administrator move that directory away");
  }
  for (const auto& [from, to] : directories(layout, renaming)) {
    make_directory(from);
    // An app that was destroyed may have left an empty one; anything else of it is of no use.
    if (is_directory(to)) discard(layout, to);
    replace_symlink(to, from.filename());
  }
}

void unlink_directories(const Layout& layout, const Renaming& renaming) {
  for (const auto& [from, to] : directories(layout, renaming)) {
    if (is_link_to(to, from)) remove_file(to);
  }
}

void move_directories(const Layout& layout, const Renaming& renaming) {
  for (const auto& [from, to] : directories(layout, renaming)) {
    if (is_link_to(to, from) && is_directory(from) && !exchange_paths(from, to)) {
      remove_file(to);
      rename_path(from, to);
    }
    // A file system that cannot exchange them may have been left without either link.
    if (!is_there(to) && is_directory(from)) rename_path(from, to);
    if (is_link_to(from, from)) remove_file(from);
  }
}

}  // namespace pushrod
