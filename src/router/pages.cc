// What each page says. The first line is the status, then what it means to a visitor, then what its owner can do.
#include "router/pages.hh"

#include <fmt/format.h>

#include <string_view>

#include "base/error.hh"

namespace pushrod {

namespace {

Page make_page(std::string_view set, int status, std::string_view reason, std::string_view text,
               std::string_view more_headers = {}) {
  const std::string body = fmt::format("{} {}\n\n{}\n", status, reason, text);
  return {std::string(set), status,
          fmt::format("HTTP/1.1 {} {}\r\n"
                      "Content-Type: text/plain; charset=utf-8\r\n"
                      "Content-Length: {}\r\n"
                      "Cache-Control: no-store\r\n"
                      "X-Content-Type-Options: nosniff\r\n"
                      "{}\r\n"
                      "{}",
                      status, reason, body.size(), more_headers, body)};
}

}  // namespace

std::string Page::file() const {
  return set == kUsualPages ? fmt::format("pages/{}.http", status) : fmt::format("pages/{}.{}.http", set, status);
}

std::vector<Page> render_pages() {
  return {
      // The connection goes with the answer: it is one too many.
      make_page("address", 429, "Too Many Requests",
                "Too many connections are open from your address. Close some, and try again.\n"
                "(Your server? \"address_connections\" and \"proxies\" in server.toml.)",
                "Connection: close\r\nRetry-After: 5\r\n"),
      make_page("bad-framing", 400, "Bad Request",
                "Transfer-Encoding needs HTTP/1.1. Send Content-Length, or use HTTP/1.1.", "Connection: close\r\n"),
      make_page("bad-header", 400, "Bad Request", "A header of this request contains control characters.",
                "Connection: close\r\n"),
      make_page("bad-host", 400, "Bad Request",
                "The Host header of this request is not a host name with an optional port.", "Connection: close\r\n"),
      make_page("bad-target", 400, "Bad Request",
                "The address of this request contains characters that must be percent-encoded,\n"
                "such as \"%C3%A4\" for a letter outside of ASCII.",
                "Connection: close\r\n"),
      make_page("bad-trailer", 400, "Bad Request",
                "The Trailer header of this request names a header that may not be one.", "Connection: close\r\n"),
      make_page("full", 503, "Service Unavailable",
                "Too many requests to this app are open. Try again in a moment.\n"
                "(Your server? \"app_connections\" and \"connections\" in server.toml.)",
                "Connection: close\r\nRetry-After: 5\r\n"),
      make_page("held", 503, "Service Unavailable",
                "This app is being changed or is just starting, and could not take your request in time.\n"
                "Try again in a moment.",
                "Retry-After: 5\r\n"),
      make_page("maintenance", 503, "Service Unavailable",
                "This app is down for maintenance. Try again later.\n"
                "(Is it yours? \"pushrod maintenance off APP\" ends it.)",
                "Retry-After: 60\r\n"),
      make_page(kUsualPages, 400, "Bad Request",
                "The router could not read this request, or its body did not come in time.", "Connection: close\r\n"),
      make_page(kUsualPages, 404, "Not Found",
                "No app answers at this address. Check the spelling of the host name.\n"
                "(Is it yours? \"pushrod app list\" shows every app and its address.)"),
      make_page(kUsualPages, 405, "Method Not Allowed", "The router makes no tunnels (CONNECT)."),
      make_page(kUsualPages, 408, "Request Timeout", "The request did not come in time. Try again.",
                "Connection: close\r\n"),
      make_page(kUsualPages, 413, "Content Too Large",
                "The request is larger than this app accepts.\n"
                "(Is it yours? \"max_body\" under [http] in its pushrod.toml.)",
                "Connection: close\r\n"),
      make_page(kUsualPages, 500, "Internal Server Error",
                "The router failed before an app saw the request. Try again."),
      make_page(kUsualPages, 502, "Bad Gateway",
                "The app broke off before it had answered, or its answer is not valid HTTP or has\n"
                "more than 35 kB of headers.\n"
                "(Is it yours? \"pushrod logs APP\" shows what it wrote.)"),
      make_page(kUsualPages, 503, "Service Unavailable",
                "This app is not running right now. Try again in a moment.\n"
                "(Is it yours? \"pushrod ps APP\" and \"pushrod logs APP\" tell more.)",
                "Retry-After: 5\r\n"),
      make_page(kUsualPages, 504, "Gateway Timeout",
                "The app took too long to answer.\n"
                "(Is it yours? \"pushrod logs APP\" shows what it wrote.)"),
      make_page("stopped", 503, "Service Unavailable",
                "This app has been stopped by its owner.\n"
                "(Is it yours? \"pushrod start APP\" starts it.)"),
  };
}

std::string text_of_page(int status) {
  for (const auto& page : render_pages()) {
    if (page.set == kUsualPages && page.status == status)
      return page.response.substr(page.response.find("\r\n\r\n") + 4);
  }
  throw Error(fmt::format("there is no page {}", status));
}

std::string render_large_head() {
  return fmt::format(
      "http-request return status 431 content-type \"text/plain; charset=utf-8\" hdr Cache-Control no-store "
      "hdr X-Content-Type-Options nosniff string \"431 Request Header Fields Too Large\\n\\n"
      "The headers of this request are longer than {} kB. Delete cookies of this site, and try again.\\n\"",
      kLongestHead / 1024);
}

}  // namespace pushrod
