// What commands print: a table for people, JSON for machines.
#pragma once

#include <string>
#include <vector>

#include "operate/json.hh"
#include "os/standard_output.hh"

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

void print_json(const Json& value);  // indented by two, with a newline

}  // namespace pushrod
