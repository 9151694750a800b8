#include "certificates/files.hh"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <optional>

#include "base/error.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

constexpr std::string_view kSuffix = ".pem";

// A file is replaced and never written to, so these tell one content from another.
std::optional<std::string> id_of(const std::filesystem::path& file) {
  struct stat status {};
  if (lstat(file.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  return fmt::format("{:x}x{:x}x{:x}", status.st_ino, status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
}

std::optional<HostName> host_of(std::string name) {
  if (!name.ends_with(kSuffix)) return std::nullopt;
  name.resize(name.size() - kSuffix.size());
  if (name.starts_with("_.")) name.front() = '*';
  try {
    return HostName::parse(name);
  } catch (const UserError&) {
    return std::nullopt;
  }
}

}  // namespace

void install_pair(const Layout& layout, const HostName& host, const PemPair& pair) {
  make_directory(layout.certificates());
  write_file(layout.certificate(host), pair.text());
}

void remove_pair(const Layout& layout, const HostName& host) { remove_file(layout.certificate(host)); }

std::vector<InstalledPair> installed_pairs(const Layout& layout) {
  std::vector<InstalledPair> pairs;
  for (const auto& name : list_directory(layout.certificates())) {
    const auto host = host_of(name);
    const auto file = layout.certificates() / name;
    const auto id = host ? id_of(file) : std::nullopt;
    if (id) pairs.push_back({*host, file, *id});
  }
  std::sort(pairs.begin(), pairs.end(), [](const auto& a, const auto& b) { return a.host < b.host; });
  return pairs;
}

}  // namespace pushrod
