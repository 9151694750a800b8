// Which software of this machine builds can use, as one text that changes when it does.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace pushrod {

// Where software is recorded or lies: dpkg's list of installed packages, and programs installed by hand.
struct InstalledSoftware {
  std::filesystem::path packages = "/var/lib/dpkg/status";
  std::filesystem::path programs = "/usr/local/bin";
};

// Changes with every package that is installed, upgraded or removed, and with every program (or target of a symlink) in
// the directory. It may also change without a reason. Runs no program.
std::string software_stamp(const InstalledSoftware& where = {});

}  // namespace pushrod
