// The pages that clients see when no app answers: short, plain text, for a person. (What is not HTTP, or does not come
// in time, gets HAProxy's built-in 400 and 408, which cannot be replaced.)
// Used inside router/ only; HAProxy reads them once, when it loads its configuration.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pushrod {

struct Page {
  std::string set;  // "pages" for what HAProxy says by itself; the others are named by the configuration's rules
  int status;
  std::string response;  // the whole HTTP response

  // "pages/503.http" or "pages/stopped.503.http", relative to layout.router().
  std::string file() const;
};

inline constexpr std::string_view kUsualPages = "pages";

// Ordered by set.
std::vector<Page> render_pages();

}  // namespace pushrod
