// Names and the rule for each kind. A name is accepted exactly as it is, or refused with one line (I8).
// Each kind of name is a type of its own, so that a branch is never passed for an app.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pushrod {

namespace detail {
template <class Tag>
class Name {
 public:
  // Throws UserError, which quotes the text and says the rule.
  static Name parse(std::string_view text) {
    check(text);
    return Name{std::string(text)};
  }
  const std::string& str() const noexcept { return text_; }
  auto operator<=>(const Name&) const = default;

 private:
  explicit Name(std::string text) : text_(std::move(text)) {}
  static void check(std::string_view text);
  std::string text_;
};
}  // namespace detail

// Repos and apps: 1 to 40 characters of a-z, 0-9 and '-', beginning with a letter and not ending in '-'. They become
// host names (RFC 1123), directory names and parts of service names, and so nothing else is allowed.
struct RepoTag;
struct AppTag;
using RepoName = detail::Name<RepoTag>;
using AppName = detail::Name<AppTag>;

// Services (databases): the same, up to 60 characters, so that "<app>-<key>" has room.
struct ServiceTag;
using ServiceName = detail::Name<ServiceTag>;

// Directories that the operator offers to apps: as app names.
struct MountTag;
using MountName = detail::Name<MountTag>;

// Process types: 1 to 30 characters of a-z, 0-9, '-' and '_', beginning with a letter.
struct ProcessTag;
using ProcessType = detail::Name<ProcessTag>;

// SSH keys: 1 to 60 characters of A-Z, a-z, 0-9 and "@._-", beginning with a letter or digit.
struct KeyTag;
using KeyName = detail::Name<KeyTag>;

// An app's settings: the names of environment variables. 1 to 100 characters of A-Z, a-z, 0-9 and '_', not beginning
// with a digit. model/environment.hh knows the reserved ones.
struct SettingTag;
using SettingName = detail::Name<SettingTag>;

// Branches, without refs/heads/: what git itself allows (git-check-ref-format), and in addition no leading '-', not
// "@" or "HEAD" (to git the commit that is checked out), at most 200 bytes, valid UTF-8. Whatever else git allows
// (quotes, ';', '$') is legal here and must reach tools verbatim.
struct BranchTag;
using BranchName = detail::Name<BranchTag>;

inline constexpr std::string_view kBranchRefs = "refs/heads/";
std::string ref_of(const BranchName& branch);  // "refs/heads/main"
// The branch that a ref names; absent when the ref is not a branch. Throws UserError for a name that is not allowed.
std::optional<BranchName> branch_of(std::string_view ref);

// A full object name: 40 hexadecimal digits.
struct CommitTag;
using CommitId = detail::Name<CommitTag>;
std::string abbreviated(const CommitId& commit);  // the first 10 digits

// The number of a deployment, and of the release that it makes: counted per app from 1, never reused.
using ReleaseNumber = std::uint32_t;

// "blog.14.web.2": app, release, process type, number from 1. It names the s6 service, the HAProxy server (without the
// app) and the log directory.
struct InstanceName {
  AppName app;
  ReleaseNumber release;
  ProcessType type;
  std::uint32_t number;

  static std::optional<InstanceName> from(std::string_view text);  // absent if it is not such a name
  std::string str() const;
  auto operator<=>(const InstanceName&) const = default;
};

}  // namespace pushrod
