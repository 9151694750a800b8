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

// Every table under the key, sorted by name. Throws UserError when two have the same name, or when one is called "web"
// or like one of `processes`: their logs would be the same.
CronTable read_crons(TomlSection& top, const ProcessTable& processes);

// The name of a cron job whose table gives none: the command in lower case, with '-' in place of everything but
// letters, digits and '_', at most 30 characters ("job-" before a digit). The same command always gets the same name.
std::string name_for_command(std::string_view command);

}  // namespace pushrod
