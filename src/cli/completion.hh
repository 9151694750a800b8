// Completion in shells: the scripts, and what these scripts ask.
#pragma once

#include <string>
#include <vector>

#include "cli/grammar.hh"

namespace pushrod {

// `pushrod complete WORDS…`, which only the scripts call: prints what the last word can be completed to, one a line,
// each with a tab and its explanation if it has one; the line ":files" asks for the names of files. Prints nothing when
// it does not know, or when something fails: an error would disturb the command line that is being typed. Changes
// nothing.
int complete(const Grammar& grammar, const std::vector<std::string>& words);

}  // namespace pushrod
