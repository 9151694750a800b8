// What a program prints for its caller.
#pragma once

#include <string>

namespace pushrod {

// To standard output, as it is. A change goes on when its output cannot be written: check_output() tells of that.
void print(const std::string& text);
// Throws SystemError when something printed was not written, as on a full disk; not when the reader has gone.
void check_output();
bool is_terminal(int fd);

}  // namespace pushrod
