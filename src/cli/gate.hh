// What other programs call, and we ourselves: the gate (sshd, for every key), git's hooks, s6-svscan's stop handler,
// the holder of a detached job. The gate and the hooks alone decide who may do what.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "cli/context.hh"

namespace pushrod {

// `pushrod gate --key ID`, the forced command of every line in authorized_keys: takes SSH_ORIGINAL_COMMAND apart,
// checks the key's rights, and becomes git or runs one of our own commands. Every connection leaves one line in
// logs/_pushrod/gate.log.
int gate(const std::filesystem::path& root, std::int64_t key_id);

// `pushrod job --id ID`: goes to the background and looks after a detached job to its end. Its row is there.
int hold_job(const std::filesystem::path& root, std::int64_t id);

// Run by git in a repository: the root is two levels above the working directory.
int pre_receive_hook();
int proc_receive_hook();

// Run by s6-svscan, in run/scan, when it is told to stop (supervise/supervise.hh, prepare_scan).
int stop_tree();

}  // namespace pushrod
