// A reload, from the command to the moment when only the new worker takes requests.
// Used inside router/ only.
#pragma once

#include <filesystem>
#include <string>

#include "router/master_socket.hh"

namespace pushrod {

// Makes HAProxy load its file, whose structure has this mark. Returns when the new worker has it and every old worker
// has stopped listening: from then on no request goes to a server of an old list. Also returns when HAProxy is not
// running, or ends meanwhile. Throws Error, which names HAProxy's log, when it could not load the file (the old worker
// goes on), or has not done so within 30 s.
void reload_into(const MasterSocket& master, const std::string& mark, const std::filesystem::path& log);

}  // namespace pushrod
