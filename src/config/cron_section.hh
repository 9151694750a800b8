// [[cron]] in pushrod.toml → CronTable.
// Used by app_manifest.cc alone.
//
//   [[cron]]
//   schedule = "30 4 * * 1-5"       # model/schedule.hh tells the fields
//   command = "python3 clean.py"
//   name = "clean"                  # default: made from the command
//   overlap = "skip"                # or "wait", "allow": when the run before has not ended
//   timeout = "1h"                  # from 1 s to 7 d
//   timezone = "Europe/Berlin"      # default: the machine's
#pragma once

#include "config/toml_section.hh"
#include "model/process.hh"

namespace pushrod {

// Every table under the key. Sorted by name. `types`: what no cron job may be called.
CronTable read_crons(TomlSection& top, const ProcessTable& processes);

// What a cron job without a name is called: its command's letters and digits, at most 30. Always the same for the same
// command.
std::string name_for_command(std::string_view command);

}  // namespace pushrod
