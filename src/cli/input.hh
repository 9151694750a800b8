// What a command is given to read: a file on this machine, or standard input.
#pragma once

#include <string>

#include "tree/context.hh"

namespace pushrod {

struct Input {
  std::string what;      // "a public key": for complaints
  std::string over_ssh;  // the command that gives it as standard input
  std::size_t cap = 0;   // bytes
};

// The file, or standard input if it is "-"; over SSH only standard input is possible. Throws UserError for a file that
// does not exist or is not a regular file, and for anything longer than the cap.
std::string read_input(const Context& context, const std::string& file, const Input& input);
// The same for a text file (config/text_file.hh).
std::string read_text_input(const Context& context, const std::string& file, const Input& input);
std::string read_standard_input(const Input& input);

}  // namespace pushrod
