// The files in certificates/ of the root directory: what the router shows. One per host, replaced whole; the database
// only knows what is in them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "certificates/pem.hh"
#include "model/layout.hh"

namespace pushrod {

// Mode 0600, in place of the one that the host has.
void install_pair(const Layout& layout, const HostName& host, const PemPair& pair);
// Absent files are no error.
void remove_pair(const Layout& layout, const HostName& host);

struct InstalledPair {
  HostName host;
  std::filesystem::path file;
  std::string id;  // letters and digits: another content has another one
};
// By host. What is no certificate's file is left out.
std::vector<InstalledPair> installed_pairs(const Layout& layout);

}  // namespace pushrod
