// Rules of haproxy.cfg for what apps say of HTTP in their pushrod.toml (model/http_rules.hh): read from http.map and
// errors.map for each request, so a release brings its own without a reload.
// Used inside router/ only. Pure.
#pragma once

#include <string>
#include <string_view>

namespace pushrod {

// For the front end, once the app is known: reads what the app says, and removes header names that apps do not get.
std::string render_app_lookup();
// For the front end, when the app is about to serve: limits and redirects, and headers of answers.
std::string render_app_rules();
// For the front end, before anything of the app is told: who may ask it at all.
std::string render_access_check();
std::string render_usual_requests();  // what lets them pass without a look at the rules of the others
// For the front end, where an app answers with a page of the router: the app's own page, if it has one.
std::string render_own_page_modes();
// For a front end that apps' back ends follow: marks an app's own page as HTML.
std::string_view render_page_headers();
// A section of defaults for the apps' back ends: timeouts, compression, and the pages of failures.
std::string render_app_defaults();

}  // namespace pushrod
