// Completion in shells: the scripts, and what these scripts ask.
#pragma once

#include <string>
#include <vector>

#include "cli/grammar.hh"

namespace pushrod {

// `pushrod complete WORDS…`, which only the scripts call: prints what may stand in the place of the last word, one a
// line, each with a tab and its explanation if it has one; the line ":files" asks for the names of files. Says nothing
// when it does not know: an error has no place in the middle of somebody's typing. Changes nothing.
int complete(const Grammar& grammar, const std::vector<std::string>& words);

}  // namespace pushrod
