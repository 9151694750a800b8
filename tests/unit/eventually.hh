// Waiting for what nothing tells of, in the tests of every room above os/.
#pragma once

#include <functional>
#include <thread>

#include "os/clock.hh"

namespace pushrod {

// Waits until it is so, asking again and again. A test that passes waits for as long as it takes only.
inline bool eventually(const std::function<bool()>& is_so, Milliseconds at_most = Milliseconds{20'000}) {
  const Deadline deadline(at_most);
  while (!is_so()) {
    if (deadline.passed()) return false;
    std::this_thread::sleep_for(Milliseconds{2});
  }
  return true;
}

}  // namespace pushrod
