#include "certificates/files.hh"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <optional>
#include <set>

#include "base/error.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

constexpr std::string_view kSuffix = ".pem";
constexpr std::string_view kUnfinished = ".new-";  // write_file was killed

// "www.example.com.pem.3F0A…": names are short, so the fingerprint's first digits must do.
std::filesystem::path staged_file(const Layout& layout, const Certificate& certificate) {
  constexpr std::size_t kDigits = 16;
  return layout.certificate(certificate.host).string() + "." + certificate.fingerprint.substr(0, kDigits);
}

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

void stage_pair(const Layout& layout, const Certificate& certificate, const PemPair& pair) {
  make_directory(layout.certificates());
  write_file(staged_file(layout, certificate), pair.text());
}

bool settle_pairs(const Layout& layout, const std::vector<Certificate>& named) {
  const auto names = list_directory(layout.certificates());
  std::set<std::string> wanted;
  bool changed = false;
  for (const auto& certificate : named) {
    const auto staged = staged_file(layout, certificate), file = layout.certificate(certificate.host);
    wanted.insert(file.filename());
    if (std::find(names.begin(), names.end(), staged.filename()) == names.end()) continue;
    wanted.insert(staged.filename());
    rename_path(staged, file);
    changed = true;
  }
  for (const auto& name : names) {
    if (name.find(kSuffix) == name.npos && !name.starts_with(kUnfinished)) continue;
    if (!wanted.contains(name)) changed = remove_file(layout.certificates() / name) || changed;
  }
  return changed;
}

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
