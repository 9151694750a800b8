// One piece of work of many.
#include "deploy/attempt.hh"

#include <fmt/format.h>

#include "base/error.hh"
#include "base/text.hh"

namespace pushrod {

bool attempt(const std::string& doing, const std::function<void()>& action) {
  try {
    action();
    return true;
  } catch (const Error& error) {
    fmt::print(stderr, "{}: {}{}{}\n", doing, escaped(error.message()), error.hint().empty() ? "" : "; ",
               escaped(error.hint()));
    return false;
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: {}\n", doing, escaped(error.what()));
    return false;
  }
}

}  // namespace pushrod
