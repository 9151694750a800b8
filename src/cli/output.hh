// What commands print: a table for people, JSON for machines.
#pragma once

#include <string>
#include <vector>

#include "operate/json.hh"

namespace pushrod {

// Columns as wide as their widest cell, two spaces apart; the last one is not padded. Cells are escaped here.
class Table {
 public:
  explicit Table(std::vector<std::string> headings) { rows_.push_back(std::move(headings)); }
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  bool is_empty() const { return rows_.size() == 1; }
  std::string str() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// To standard output, as it is. A change is not given up because nobody can be told of it: what goes wrong is for
// check_output().
void print(const std::string& text);
void print_json(const Json& value);  // indented by two, with a newline
// Throws SystemError when something printed did not arrive, as on a full disk; not when the reader has gone.
void check_output();
bool is_terminal(int fd);

}  // namespace pushrod
