#include "build/lock_format.hh"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "base/text.hh"
#include "os/files.hh"

namespace pushrod {

std::string beginning_of(const fs::path& directory, const std::string& name) {
  constexpr std::size_t kEnough = 4096;
  if (!is_plain_file(directory / name)) return {};
  const auto file = open_file(directory / name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  std::string text(kEnough, '\0');
  const auto got = read(file.get(), text.data(), text.size());
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return text;
}

std::optional<double> number_after(const std::string& text, const std::string& key) {
  const auto found = text.find(key + ":");
  if (found == std::string::npos) return std::nullopt;
  const auto start = text.find_first_not_of(" '\"\n", found + key.size() + 1);
  if (start == std::string::npos) return std::nullopt;
  const auto end = std::min(text.find_first_not_of("0123456789.", start), text.size());
  const auto parts = split(text.substr(start, end - start), '.');
  const auto whole = parse_unsigned(parts.front());
  if (!whole) return std::nullopt;
  const auto tenths = parts.size() > 1 ? parse_unsigned(parts[1].substr(0, 1)) : std::nullopt;
  return static_cast<double>(*whole) + static_cast<double>(tenths.value_or(0)) / 10;
}

}  // namespace pushrod
