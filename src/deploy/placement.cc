// Where the checkouts of an app lie.
#include "deploy/placement.hh"

#include <fmt/format.h>

#include <cstdio>
#include <set>

#include "base/error.hh"
#include "base/text.hh"
#include "deploy/trash.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

// To its place, unless there is one already. Not flushed: where a power cut takes it back, it is moved again.
void move_checkout(const Layout& layout, const std::filesystem::path& from, const std::filesystem::path& to) {
  if (is_directory(to)) {
    discard(layout, from);
    return;
  }
  make_directory(to.parent_path());
  if (rename(from.c_str(), to.c_str()) != 0) throw_errno(fmt::format("move {} to {}", from.string(), to.string()));
}

}  // namespace

std::optional<ReleaseNumber> number_of(const std::string& name) {
  const auto number = parse_unsigned(name);
  if (!number || *number == 0 || std::to_string(*number) != name) return std::nullopt;
  return static_cast<ReleaseNumber>(*number);
}

Checkout find_checkout(const Layout& layout, const AppName& app, ReleaseNumber number) {
  const auto kept = layout.kept_checkout(app, number);
  return is_directory(kept.directory) ? kept : layout.checkout(app, number);
}

void place_checkouts(const Platform& platform, const App& app, std::optional<ReleaseNumber> deploying) {
  std::set<ReleaseNumber> in_use, kept;
  if (deploying) in_use.insert(*deploying);
  for (const auto& release : platform.store.releases(app.id)) {
    (app.live && release.number == *app.live ? in_use : kept).insert(release.checkout);
  }
  const auto& layout = platform.layout;
  for (const auto& entry : list_directory(layout.checkouts(app.name))) {
    const auto number = number_of(entry);
    const auto path = layout.checkouts(app.name) / entry;
    if (number && in_use.contains(*number)) continue;
    if (number && kept.contains(*number)) {
      move_checkout(layout, path, layout.kept_checkout(app.name, *number).directory);
    } else {
      discard(layout, path);
    }
  }
  for (const auto& entry : list_directory(layout.releases(app.name))) {
    const auto number = number_of(entry);
    const auto path = layout.releases(app.name) / entry;
    if (number && in_use.contains(*number)) {
      move_checkout(layout, path, layout.checkout(app.name, *number).directory);
    } else if (!number || !kept.contains(*number)) {
      discard(layout, path);
    }
  }
}

}  // namespace pushrod
