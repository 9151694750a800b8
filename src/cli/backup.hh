// What the files of backup commands share.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/grammar.hh"
#include "operate/backups.hh"
#include "tree/context.hh"

namespace pushrod {

// The words that say what a command is about.
struct SubjectWords {
  std::string name{};
  bool all = false, is_service = false;
};
inline constexpr const char* kSubject = "APP-OR-SERVICE";
Verb takes_subject(Verb verb, SubjectWords& words);
Verb takes_all(Verb verb, SubjectWords& words);
// With --all everything. Checks the caller's rights.
std::vector<BackupSubject> backup_subjects(Context& context, const SubjectWords& words, const char* verb);
// The same among what a target has, so also what is gone. Checks the rights before anything is told of the target.
BackupSubject subject_in(Context& context, const SubjectWords& words, const std::string& target);
// One after the other; one that fails does not keep the others from their turn. Returns the exit code.
int for_each_subject(const std::vector<BackupSubject>& subjects, const std::function<void(const BackupSubject&)>& work);

// What the words say, and for the rest the schedule.
BackupRetention retention_of(Context& context, const BackupSubject& of, const std::optional<unsigned>& keep,
                             const std::string& keep_for);

}  // namespace pushrod
