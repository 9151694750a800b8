// What the files of backup commands share.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "operate/backups.hh"
#include "tree/context.hh"

namespace pushrod {

// What a command is about: an app, or with --all every app and the platform (absent). Checks the caller's rights.
std::vector<std::optional<AppName>> backup_subjects(Context& context, const std::string& app, bool all,
                                                    const char* verb);
// One after the other; one that fails does not keep the others from their turn. Returns the exit code.
int for_each_subject(const std::vector<std::optional<AppName>>& subjects,
                     const std::function<void(const std::optional<AppName>&)>& work);

// What the words say, and for the rest the app's schedule.
BackupRetention retention_of(Context& context, const std::optional<AppName>& app, const std::optional<unsigned>& keep,
                             const std::string& keep_for);

}  // namespace pushrod
