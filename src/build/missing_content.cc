// What a commit names and does not have: files in Git LFS.
#include <fmt/format.h>

#include <deque>

#include "base/error.hh"
#include "base/text.hh"
#include "build/builders.hh"
#include "build/languages.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

constexpr std::string_view kPointer = "version https://git-lfs.github.com/spec/v1\n";
constexpr std::size_t kLongestPointer = 1024;
constexpr std::size_t kMostFiles = 50'000;

bool is_pointer(const fs::path& file) {
  std::error_code error;
  if (!is_plain_file(file) || fs::file_size(file, error) > kLongestPointer || error) return false;
  return read_file(file, kLongestPointer, /*follow=*/false).value_or("").starts_with(kPointer);
}

std::vector<std::string> pointers_below(const fs::path& root) {
  std::vector<std::string> found;
  std::deque<std::string> left{""};
  std::size_t seen = 0;
  while (!left.empty() && seen < kMostFiles) {
    const auto directory = left.front();
    left.pop_front();
    for (const auto& name : list_directory(root / directory)) {
      if (++seen > kMostFiles || name == "node_modules") continue;
      const auto path = directory.empty() ? name : directory + "/" + name;
      if (is_directory(root / path)) {
        left.push_back(path);
      } else if (is_pointer(root / path)) {
        found.push_back(path);
      }
    }
  }
  return found;
}

// The root of the repository is not known here: .gitattributes counts where it is seen.
bool uses_lfs(const AppTree& tree) {
  for (const auto& directory : tree.upwards()) {
    try {
      const auto text = read_tree_file(tree.root / directory, ".gitattributes", std::size_t{1} << 20);
      if (text && text->find("filter=lfs") != text->npos) return true;
    } catch (const UserError&) {
      return true;  // not text: look
    }
  }
  return false;
}

}  // namespace

void refuse_missing_content(const AppTree& tree, const Host& host) {
  if (host.has_program("git-lfs") || !uses_lfs(tree)) return;
  const auto pointers = pointers_below(tree.root);
  if (pointers.empty()) return;
  const auto more = pointers.size() == 1 ? "" : fmt::format(", and so are {} more", pointers.size() - 1);
  throw UserError{
      fmt::format("{} is a pointer of Git LFS and not the file itself{}", escaped(pointers.front(), 200), more),
      "put the files into git: git lfs migrate export --include='*'"};
}

}  // namespace pushrod
