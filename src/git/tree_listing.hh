// What `git ls-tree -r -t -z` prints, entry by entry, and which names no tree may have.
// Pure; private to git/.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace pushrod {

struct TreeEntry {
  enum class Kind { File, Symlink, Directory, Submodule };
  Kind kind;
  std::string_view object;  // both valid during the call only
  std::string_view path;
};

// Cuts a stream into entries. Holds no more than one unfinished entry.
class TreeListing {
 public:
  // An entry that is longer than this is handed over cut, and nothing after it.
  explicit TreeListing(std::size_t longest_path) : longest_path_(longest_path) {}

  // Calls take for each entry that is complete; stops and returns false when take does. Throws Error when the text is
  // not what git prints.
  bool feed(std::string_view chunk, const std::function<bool(const TreeEntry&)>& take);
  // What came after the last complete entry.
  const std::string& rest() const { return rest_; }

 private:
  std::size_t longest_path_;
  std::string rest_;
};

// Is it ".git" to some file system: in any case, with what HFS+ ignores, with what NTFS ignores or abbreviates?
bool is_dot_git(std::string_view part);

// Why no tree may have such an entry, independent of the limits; absent if it may.
std::optional<std::string> why_forbidden(const TreeEntry& entry);

}  // namespace pushrod
