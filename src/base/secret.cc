// Secrets, and what of them may be seen in output: nothing.
#include "base/secret.hh"

#include <string.h>

namespace pushrod {

Secret::~Secret() { explicit_bzero(text_.data(), text_.size()); }

}  // namespace pushrod
