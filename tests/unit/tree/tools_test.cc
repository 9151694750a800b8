// The tools that Pushrod needs, and what the documentation says about them.
#include "tree/tools.hh"

#include <gtest/gtest.h>

#include "base/text.hh"
#include "os/files.hh"

namespace pushrod {
namespace {

// "| git | 2.36 | 2.39 | …" in docs/install.md: the cell after the one that begins with the name.
std::string documented(const std::string& table, const std::string& name) {
  for (const std::string& line : lines_of(table)) {
    const auto cells = split(line, '|');
    if (cells.size() > 2 && trim(cells[1]).starts_with(name)) return std::string(trim(cells[2]));
  }
  return "not there";
}

TEST(Tools, AreDocumentedWithTheVersionsThatDoctorWants) {
  const auto page = read_file(fs::path(PUSHROD_GOLDEN_DIR).parent_path().parent_path().parent_path().parent_path() /
                              "docs/install.md")
                        .value();
  unsigned count = 0;
  for (const auto& tool : examine_tools()) {
    if (tool.least.empty()) continue;
    EXPECT_EQ(documented(page, tool.name), tool.least) << tool.name;
    ++count;
  }
  EXPECT_GE(count, 6U);
}

}  // namespace
}  // namespace pushrod
