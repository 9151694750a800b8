// What commands print: a table for people, JSON for machines.
// Floor 7.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "os/clock.hh"

namespace pushrod {

using Json = nlohmann::ordered_json;

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

void print(const std::string& text);  // to standard output, as it is
void print_json(const Json& value);   // indented by two, with a newline
bool is_terminal(int fd);

std::string ago(WallTime time);       // "3 m 05 s ago"
std::string iso_time(WallTime time);  // "2026-11-22T15:04:05.123Z", for JSON

}  // namespace pushrod
