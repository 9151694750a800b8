// What an app's path may be, and what a key may touch.
#include "model/app.hh"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hh"
#include "base/text.hh"
#include "model/words.hh"

namespace pushrod {

std::string parse_app_path(const std::string& text) {
  const auto refuse = [&](std::string_view reason) {
    throw UserError(
        fmt::format("path {} {}: name a directory of the repo, such as services/api", quoted(text), reason));
  };
  if (text.empty()) return text;
  if (text.size() > 200) refuse(fmt::format("has {} bytes, and 200 are allowed", text.size()));
  if (!is_valid_utf8(text)) refuse("is not valid UTF-8");
  const auto is_control = [](char character) {
    const auto byte = static_cast<unsigned char>(character);
    return byte < 0x20 || byte == 0x7F;
  };
  if (std::any_of(text.begin(), text.end(), is_control)) refuse("contains a control character");
  if (text.front() == '/') refuse("begins with \"/\"");
  if (text.back() == '/') refuse("ends in \"/\"");
  for (const std::string& part : split(text, '/')) {
    if (part.empty()) refuse("contains \"//\"");
    if (part == "." || part == "..") refuse(fmt::format("contains the part \"{}\"", part));
  }
  return text;
}

void App::set_source(const Source& source) {
  repo = source.repo;
  branch = source.branch;
  path = source.path;
  config = source.config;
  build_root = source.build_root;
}

namespace {
constexpr Words<Maintenance, 3> kMaintenances{
    "kind of maintenance", {{{Maintenance::Off, "off"}, {Maintenance::Page, "page"}, {Maintenance::Hold, "hold"}}}};
constexpr Words<Role, 3> kRoles{"role", {{{Role::View, "view"}, {Role::Deploy, "deploy"}, {Role::Admin, "admin"}}}};
}  // namespace

std::string_view to_string(Maintenance maintenance) { return kMaintenances.word(maintenance); }
Maintenance maintenance_from(std::string_view text) { return kMaintenances.value(text); }
std::string_view to_string(Role role) { return kRoles.word(role); }
Role role_from(std::string_view text) { return kRoles.value(text); }

bool Key::may_use(const AppName& app) const {
  return all_apps || std::find(apps.begin(), apps.end(), app) != apps.end();
}

}  // namespace pushrod
