// What the tables of output have: a regular expression for one line, and what it means. Used inside diagnosis/ only.
#pragma once

#include <string>
#include <vector>

#include "diagnosis/facts.hh"

namespace pushrod {

// From what the expression captures to the hint; empty: none.
using ExplainMatch = std::string (*)(const Facts&, const Match&);

struct OutputPattern {
  const char* expression;  // of two groups, one captures
  ExplainMatch explain;
};

// build_patterns.cc: for what the tools of a build print.
std::vector<OutputPattern> build_patterns();

}  // namespace pushrod
