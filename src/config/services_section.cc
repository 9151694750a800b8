// [services]: the databases that an app declares.
#include "config/services_section.hh"

#include <fmt/format.h>

#include "base/text.hh"
#include "config/limits_section.hh"
#include "model/environment.hh"
#include "model/names.hh"

namespace pushrod {

namespace {

constexpr std::size_t kMost = 10;
constexpr NumberRange kMemory{std::uint64_t{16} << 20, std::uint64_t{16} << 40};
constexpr NumberRange kDisk{std::uint64_t{16} << 20, std::uint64_t{1024} << 40};

void check_prefix(const TomlSection& section, const std::string& prefix) {
  try {
    check_not_reserved(SettingName::parse(prefix).str() + "_URL");
  } catch (const UserError& error) {
    section.refuse("prefix", fmt::format("{}: {}", section.shown("prefix"), error.message()), error.hint());
  }
}

DeclaredService read_table(TomlSection section, const std::string& key) {
  DeclaredService service{.key = key, .type = section.text("type").value_or(""), .version = {}};
  service.version = section.text("version").value_or("");
  std::uint64_t memory = 0;
  section.size("memory", memory, kMemory);
  if (memory != 0) service.memory = memory;
  service.prefix = section.text("prefix").value_or("");
  section.flag("tcp", service.tcp);
  std::uint64_t disk = 0;
  section.size("disk", disk, kDisk);
  if (disk != 0) service.disk = disk;
  service.cpu_percent = read_processors(section);
  section.refuse_unknown_keys();
  if (service.type.empty()) {
    section.refuse({}, fmt::format("{} is missing", section.shown("type")), "write type = \"postgres\"");
  }
  if (!service.prefix.empty()) check_prefix(section, service.prefix);
  return service;
}

}  // namespace

DeclaredServices read_services(TomlSection section) {
  DeclaredServices services;
  for (const auto& key : section.keys()) {
    try {
      ServiceName::parse(key);
    } catch (const UserError& error) {
      section.refuse(key, fmt::format("{}: {}", section.shown(key), error.message()), error.hint());
    }
    if (section.is_table(key)) {
      services.push_back(read_table(*section.section(key), key));
    } else {
      services.push_back({.key = key, .type = section.text(key).value_or(""), .version = {}});
    }
    if (services.size() > kMost) section.refuse(key, fmt::format("[services] names more than {}", kMost));
  }
  return services;
}

}  // namespace pushrod
