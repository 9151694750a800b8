// Errors as values that people read.
// Used by every room.
#include "base/error.hh"

#include <cerrno>
#include <cstring>

namespace pushrod {

SystemError::SystemError(const std::string& doing, int code) : Error(doing + ": " + strerror(code)), code_(code) {}

void throw_errno(const std::string& doing) { throw SystemError(doing, errno); }

}  // namespace pushrod
