// The pages that clients see when no app answers: short, plain text, for a person. (A request line or header that
// HAProxy cannot parse, that does not come in time, or that exceeds its buffer gets HAProxy's built-in 400 or 408,
// which cannot be replaced.) Used inside router/ only; HAProxy reads them once, when it loads its configuration.
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

// The body of the usual page.
std::string text_of_page(int status);

// Bytes of a request's headers that pass; what is longer gets a page with status 431, up to HAProxy's buffer.
inline constexpr unsigned kLongestHead = 34'816;
// The rule's action that answers so. HAProxy has no errorfile for 431.
std::string render_large_head();

}  // namespace pushrod
