// What each page says. The first line is the status, then what it means to a visitor, then what its owner can do.
// Floor 3.
#include "router/pages.hh"

#include <fmt/format.h>

#include <string_view>

namespace pushrod {

namespace {

Page make_page(int status, std::string_view reason, std::string_view text, std::string_view more_headers = {}) {
  const std::string body = fmt::format("{} {}\n\n{}\n", status, reason, text);
  return {status, fmt::format("HTTP/1.1 {} {}\r\n"
                              "Content-Type: text/plain; charset=utf-8\r\n"
                              "Content-Length: {}\r\n"
                              "Cache-Control: no-store\r\n"
                              "X-Content-Type-Options: nosniff\r\n"
                              "{}\r\n"
                              "{}",
                              status, reason, body.size(), more_headers, body)};
}

}  // namespace

std::string Page::file() const { return fmt::format("pages/{}.http", status); }

std::vector<Page> render_pages() {
  return {
      make_page(404, "Not Found",
                "No app answers at this address. Check the spelling of the host name.\n"
                "(Is it yours? \"pushrod app list\" shows every app and its address.)"),
      make_page(500, "Internal Server Error", "The router failed before an app saw the request. Try again."),
      make_page(502, "Bad Gateway",
                "The app broke off before it had answered, or its answer is not valid HTTP.\n"
                "(Is it yours? \"pushrod logs APP\" shows what it wrote.)"),
      make_page(503, "Service Unavailable",
                "This app is not running right now. Try again in a moment.\n"
                "(Is it yours? \"pushrod ps APP\" and \"pushrod logs APP\" tell more.)",
                "Retry-After: 5\r\n"),
      make_page(504, "Gateway Timeout",
                "The app took too long to answer.\n"
                "(Is it yours? \"pushrod logs APP\" shows what it wrote.)"),
  };
}

}  // namespace pushrod
