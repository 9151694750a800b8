// Reads git's listing of a tree and knows the names that are refused.
// tree_check.cc runs git and feeds this.
#include "git/tree_listing.hh"

#include <fmt/format.h>

#include <array>

#include "base/error.hh"
#include "base/text.hh"

namespace pushrod {

namespace {

// "100644 blob <40 digits>\t<path>"
constexpr std::size_t kObjectName = 40;
constexpr std::size_t kLongestHead = 6 + 1 + 6 + 1 + kObjectName + 1;

[[noreturn]] void throw_unexpected(std::string_view text) {
  Error error("git listed the tree in an unknown format");
  error.set_evidence({escaped(text, 300)});
  throw error;
}

TreeEntry parse_entry(std::string_view record) {
  struct Form {
    std::string_view begin;
    TreeEntry::Kind kind;
  };
  static constexpr std::array<Form, 4> kForms = {{{"100??? blob ", TreeEntry::Kind::File},
                                                  {"120000 blob ", TreeEntry::Kind::Symlink},
                                                  {"040000 tree ", TreeEntry::Kind::Directory},
                                                  {"160000 commit ", TreeEntry::Kind::Submodule}}};
  for (const Form& form : kForms) {
    const std::size_t tab = form.begin.size() + kObjectName;
    if (record.size() <= tab || record[tab] != '\t') continue;
    bool matches = true;
    for (std::size_t at = 0; at < form.begin.size(); ++at) {
      matches = matches && (form.begin[at] == record[at] || form.begin[at] == '?');
    }
    const std::string_view object = record.substr(form.begin.size(), kObjectName);
    if (matches && object.find_first_not_of("0123456789abcdef") == std::string_view::npos) {
      return {form.kind, object, record.substr(tab + 1)};
    }
  }
  throw_unexpected(record);
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

// HFS+ compares names without zero-width joiners, direction marks and their like (Apple's TN1150).
std::string without_ignorables(std::string_view text) {
  struct Range {
    std::string_view first, last;
  };
  static constexpr std::array<Range, 4> kIgnored = {
      {{"\u200c", "\u200f"}, {"\u202a", "\u202e"}, {"\u206a", "\u206f"}, {"\ufeff", "\ufeff"}}};
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view three = text.substr(at, 3);
    bool ignored = false;
    for (const Range& range : kIgnored) ignored = ignored || (three >= range.first && three <= range.last);
    if (ignored && three.size() == 3) {
      at += 3;
    } else {
      out += text[at++];
    }
  }
  return out;
}

// NTFS drops spaces and dots at the end and takes what follows a colon for a stream; "git~1" is the short name.
bool is_dot_git_on_ntfs(std::string_view part) {
  part = part.substr(0, part.find(':'));
  for (const std::string_view name : {std::string_view(".git"), std::string_view("git~1")}) {
    if (part.starts_with(name) && part.find_first_not_of(" .", name.size()) == std::string_view::npos) return true;
  }
  return false;
}

}  // namespace

bool TreeListing::feed(std::string_view chunk, const std::function<bool(const TreeEntry&)>& take) {
  while (!chunk.empty()) {
    const std::size_t end = chunk.find('\0');
    const std::string_view piece = chunk.substr(0, end);
    if (end == std::string_view::npos) {
      rest_ += piece;
      if (rest_.size() <= kLongestHead + longest_path_) return true;
      take(parse_entry(rest_));
      return false;
    }
    bool go_on;
    if (rest_.empty()) {
      go_on = take(parse_entry(piece));
    } else {
      rest_ += piece;
      go_on = take(parse_entry(rest_));
      rest_.clear();
    }
    if (!go_on) return false;
    chunk.remove_prefix(end + 1);
  }
  return true;
}

bool is_dot_git(std::string_view part) {
  // Most names are settled by this.
  if (part.find_first_of("gG") == std::string_view::npos) return false;
  const std::string name = lower_case(without_ignorables(part));
  if (name == ".git") return true;
  for (const std::string& piece : split(name, '\\')) {
    if (is_dot_git_on_ntfs(piece)) return true;
  }
  return false;
}

std::optional<std::string> why_forbidden(const TreeEntry& entry) {
  using Kind = TreeEntry::Kind;
  constexpr std::size_t kLongestName = 255;

  // All parts, though the listing names a directory before what is in it: a single hostile entry may be called
  // "a/../b".
  std::string_view rest = entry.path;
  std::string_view name;
  while (true) {
    const std::size_t slash = rest.find('/');
    name = rest.substr(0, slash);
    if (name.empty()) return "contains an empty name";
    if (name == "." || name == "..") return "contains \".\" or \"..\"";
    if (is_dot_git(name)) return "contains a name that some systems take for .git";
    if (name.size() > kLongestName) return "contains a name longer than 255 bytes";
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  if (entry.kind == Kind::Symlink && lower_case(name) == ".gitmodules") return "is a symbolic link";
  if (entry.kind != Kind::File && (name == "pushrod.toml" || name == "Procfile")) {
    return entry.kind == Kind::Symlink ? "is a symbolic link and not a regular file"
                                       : "is a directory and not a regular file";
  }
  return std::nullopt;
}

}  // namespace pushrod
