// A reload, from the word to the moment when only the new worker takes requests.
// Used inside router/ only.
#pragma once

#include <filesystem>
#include <string>

#include "router/master_socket.hh"

namespace pushrod {

// Makes HAProxy load its file, whose structure has this mark. Returns when the new worker has it and every old worker
// has stopped listening: from then on no request goes to a server by an old list. Throws Error, which names HAProxy's
// log, when it could not load it (the old worker goes on) or has not at the deadline.
void reload_into(const MasterSocket& master, const std::string& mark, const std::filesystem::path& log);

}  // namespace pushrod
