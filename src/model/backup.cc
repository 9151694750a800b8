// Names of backup targets, and of what is backed up.
#include "model/backup.hh"

#include <fmt/format.h>

#include "base/error.hh"
#include "base/text.hh"

namespace pushrod {

namespace {

constexpr std::string_view kServiceKey = "service:";  // no name of an app has a colon

}  // namespace

std::string key_of(const BackupSubject& subject) {
  return subject.is_service() ? std::string(kServiceKey) + subject.name : subject.name;
}

BackupSubject subject_from_key(const std::string& key) {
  if (key.empty()) return {};
  if (!key.starts_with(kServiceKey)) return {BackupSubject::Kind::App, key};
  return {BackupSubject::Kind::Service, key.substr(kServiceKey.size())};
}

std::string shown(const BackupSubject& subject) {
  if (subject.is_platform()) return "the platform";
  return subject.is_service() ? "service " + subject.name : subject.name;
}

std::string parse_target_name(const std::string& text) {
  constexpr std::size_t kLongest = 40;
  const bool is_fit = !text.empty() && text.size() <= kLongest && text.front() >= 'a' && text.front() <= 'z' &&
                      text.back() != '-' &&
                      text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == text.npos;
  if (is_fit) return text;
  throw UserError(
      fmt::format("target name {}: use 1 to 40 characters of a-z, 0-9 and '-', beginning with a letter and "
                  "not ending in '-'",
                  quoted(text)));
}

}  // namespace pushrod
