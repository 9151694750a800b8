// The maps of HAProxy that change at run time: which host leads to which app, which back end an app has, which apps do
// not simply serve.
// Used inside router/ only. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "router/router.hh"

namespace pushrod {

inline constexpr const char* kHostsFile = "hosts.map";
inline constexpr const char* kSlotsFile = "slots.map";
inline constexpr const char* kModesFile = "modes.map";
inline constexpr const char* kHttpFile = "http.map";
inline constexpr const char* kErrorsFile = "errors.map";

// By key. Neither keys nor values have spaces or ';', so that they can be said on HAProxy's command line as they are.
using MapEntries = std::map<std::string, std::string>;

struct Maps {
  MapEntries hosts{}, slots{}, modes{}, http{}, errors{};
};

// hosts.map is searched for the longest entry with which "host/path/" begins. So the key of a route ends in '/', too:
// "www.example.com/", "www.example.com/shop/". The value is the app, and what the router does beside sending the
// request there, in fields with '|' between them, empty ones at the end left out:
//   app.shop|https|1|/shop|https://www.example.com|31536000
//   app, clients of http are sent to https, segments to strip and their text, redirect, HSTS
// Throws Error when two apps claim the same point.
MapEntries host_entries(const Settings& settings, const RoutingTable& table);

// http.map: what an app's [http] says, in fields with '|' between them:
//   app.shop → 10485760|60000|3600000|_nhr|pages/own.9234f9a796b70d02
//   most bytes of a body, milliseconds of silence of the app and of an upgraded connection, flags, file
// Flags: "_" header names may have it, "n" no compression, "h" headers of answers and "r" redirects are in the file.
// Apps that say nothing are not in it.
MapEntries http_entries(const RoutingTable& table);
// errors.map: "app.shop/503" → the file of the app's own page of that status; "app.shop/access" → that of its access
// rules.
MapEntries error_entries(const RoutingTable& table);
// Headers and redirects, one a line, for hold_script.cc; empty when there are none.
std::string render_rules(const HttpRules& rules);
// Access rules, one a line, for access_script.cc; empty when there are none.
std::string render_access(const RoutedApp& app);
// "pages/own.9234f9a796b70d02": where a content that belongs to an app lies.
std::string own_file(std::string_view content);

// What modes.map says of the app: a word, or the file of its own page ("pages/own.9234f9a796b70d02"); empty for one
// that simply serves, which is not in the map.
std::string mode_of(const RoutedApp& app);
MapEntries mode_entries(const RoutingTable& table);

// A file: "key value" lines, sorted; and back (what is no such line is left out).
std::string render_map(const MapEntries& entries);
MapEntries parse_map(std::string_view text);

}  // namespace pushrod
