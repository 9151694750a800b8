// What sshd and git call: the gate, for every connection of a key, and git's hooks. They alone decide what a key may
// do.
#pragma once

#include <cstdint>
#include <filesystem>

namespace pushrod {

// `pushrod gate --key ID`, the forced command of every line in authorized_keys: takes SSH_ORIGINAL_COMMAND apart,
// checks the key's rights, and becomes git or runs one of Pushrod's own commands. Every connection leaves one line in
// logs/_pushrod/gate.log, unless it cannot be written (a full disk).
int gate(const std::filesystem::path& root, std::int64_t key_id);

// Run by git in a repository: the root is two levels above the working directory.
int pre_receive_hook();
int proc_receive_hook();

}  // namespace pushrod
