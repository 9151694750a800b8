// Files of an app's /data, from outside of it. The app may change them at any moment, and may have planted links: none
// is followed on the way or at the end. Paths are relative to /data; every function needs the right to deploy the app.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "operate/json.hh"
#include "operate/session.hh"

namespace pushrod {

// "a/b": without empty, "." or ".." parts; empty (as "." or "/" are written): /data itself. A leading "/data/" may be
// there. Throws UserError.
std::string parse_data_path(const std::string& text);

struct DataEntry {
  std::string name;
  char type = 'f';  // f: file, d: directory, l: symbolic link, o: other
  std::uint64_t bytes = 0;
  WallTime modified;
};
Json to_json(const DataEntry& entry);
// By name; of a path that is no directory, that entry.
std::vector<DataEntry> list_data(Session& session, const AppName& app, const std::string& path);

// Copies a file to the descriptor.
void get_data(Session& session, const AppName& app, const std::string& path, int out);
// Replaces the file by what the descriptor gives, whole, or leaves it as it is; makes directories on the way. Stops
// when the disk has less than [retention] free_space.
std::uint64_t put_data(Session& session, const AppName& app, const std::string& path, int in);
// A directory only with `recursive`.
void remove_data(Session& session, const AppName& app, const std::string& path, bool recursive);

}  // namespace pushrod
