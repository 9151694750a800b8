// What a program that runs beside us says on standard error: a file without a name.
#pragma once

#include <string>

#include "archive/transfer.hh"
#include "os/unique_fd.hh"

namespace pushrod {

UniqueFd open_complaints(const Transfer& transfer);
std::string read_complaints(const UniqueFd& file);  // the beginning of it

}  // namespace pushrod
