#include "os/mounts.hh"

#include <algorithm>

#include "base/error.hh"
#include "base/text.hh"
#include "os/files.hh"

namespace pushrod {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kLongestFile = std::size_t{1} << 20;

bool is_octal(char character) { return character >= '0' && character <= '7'; }

// The kernel writes space, tab, newline and backslash as "\040" and the like.
std::string unescaped(std::string_view field) {
  constexpr std::size_t kDigits = 3;
  std::string text;
  while (!field.empty()) {
    const auto digits = field.substr(1).substr(0, kDigits);
    if (field[0] == '\\' && digits.size() == kDigits && std::ranges::all_of(digits, is_octal)) {
      text += static_cast<char>((digits[0] - '0') * 64 + (digits[1] - '0') * 8 + (digits[2] - '0'));
      field.remove_prefix(1 + kDigits);
    } else {
      text += field[0];
      field.remove_prefix(1);
    }
  }
  return text;
}

bool is_at_or_below(const fs::path& path, const fs::path& directory) {
  return std::mismatch(directory.begin(), directory.end(), path.begin(), path.end()).first == directory.end();
}

}  // namespace

std::vector<MountEntry> parse_mountinfo(std::string_view text) {
  // "ID PARENT MAJOR:MINOR ROOT MOUNT-POINT …"
  constexpr std::size_t kDevice = 2;
  constexpr std::size_t kRoot = 3;
  constexpr std::size_t kMountPoint = 4;
  std::vector<MountEntry> mounts;
  for (const auto& line : lines_of(text)) {
    const auto fields = split(line, ' ');
    if (fields.size() <= kMountPoint) continue;
    mounts.push_back({unescaped(fields[kMountPoint]), {std::string(fields[kDevice]), unescaped(fields[kRoot])}});
  }
  return mounts;
}

std::vector<MountEntry> mounts_of(const fs::path& process) {
  try {
    return parse_mountinfo(read_file(process / "mountinfo", kLongestFile).value_or(""));
  } catch (const Error&) {  // it has ended, or is not ours
    return {};
  }
}

DevicePath device_path_of(const fs::path& path, const std::vector<MountEntry>& mounts) {
  const MountEntry* holder = nullptr;
  for (const MountEntry& mount : mounts) {
    if (!is_at_or_below(path, mount.point)) continue;
    if (holder == nullptr || is_at_or_below(mount.point, holder->point)) holder = &mount;
  }
  if (holder == nullptr) return {};
  const auto rest = path.lexically_relative(holder->point);
  return {holder->shown.device, rest == "." ? holder->shown.path : holder->shown.path / rest};
}

}  // namespace pushrod
