// What HAProxy answers on its sockets, parsed strictly: an answer that is cut or of another form throws Error.
// Used inside router/ only. Formats: HAProxy's management.txt, 9.1 (CSV), 9.3 and 9.4.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "os/socket.hh"
#include "router/maps.hh"

namespace pushrod {

// `show proc` of the master.
struct Processes {
  unsigned failed_reloads = 0;  // since the last one that worked
  std::vector<pid_t> workers;   // one
  std::vector<pid_t> old_workers;
};
Processes parse_processes(std::string_view answer);

// A line of `show servers state`.
struct ServerState {
  std::string backend;
  std::string name;
  std::string address;
  Port port = 0;
  unsigned operational = 0;  // 0: down
  unsigned admin = 0;        // bits: drain, maintenance; 0: it gets requests

  bool gets_requests() const { return operational != 0 && admin == 0; }
};
std::vector<ServerState> parse_servers(std::string_view answer);

// `show map` of the maps, one after the other. Entries tell by their form which map they are of.
Maps parse_maps(std::string_view answer);

// Of `show info`.
struct WorkerInfo {
  std::string description;
  bool stopping = false;  // listens no more; serves the connections that it has
};
WorkerInfo parse_info(std::string_view answer);

// `show stat` of a back end.
struct Activity {
  unsigned open = 0;                 // requests and connections now
  std::optional<unsigned> idle_for;  // seconds since a request was sent on to a server; absent: none since it loaded
};
std::map<std::string, Activity> parse_activity(std::string_view answer);

// `show stat` of servers, by "back-end/server".
struct RequestFigures {
  unsigned in_flight = 0;    // sessions and queue
  std::uint64_t served = 0;  // since this worker began, those in flight included
};
std::map<std::string, RequestFigures> parse_requests(std::string_view answer);

// What HAProxy said to commands, without the tables: the lines that are worth telling when a change did not come about.
std::vector<std::string> complaints(std::string_view answer);

}  // namespace pushrod
