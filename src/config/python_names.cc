// Names of Python packages.
#include "config/python_lock.hh"

namespace pushrod {

std::string normal_python_name(std::string_view name) {
  std::string normal;
  for (const char c : name) {
    const bool separates = c == '-' || c == '_' || c == '.';
    if (separates && normal.ends_with('-')) continue;
    normal += separates ? '-' : c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  }
  return normal;
}

std::string python_requirement_name(std::string_view requirement) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  const auto start = requirement.find_first_not_of(" \t");
  if (start == requirement.npos) return {};
  requirement.remove_prefix(start);
  if (requirement.starts_with('-')) return {};  // an option of pip
  return normal_python_name(requirement.substr(0, requirement.find_first_not_of(kAllowed)));
}

}  // namespace pushrod
