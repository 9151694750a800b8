// The files in certificates/ of the root directory: what the router shows. One per host, replaced whole. Which pair a
// host has is what the database says: a new one lies beside the old one until the database names it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "certificates/pem.hh"
#include "model/certificate.hh"
#include "model/layout.hh"

namespace pushrod {

// Writes the pair beside the one that its host has, mode 0600. The router does not see it yet.
void stage_pair(const Layout& layout, const Certificate& certificate, const PemPair& pair);
// Puts staged pairs that are `named` in place, and removes the files of others: of a certificate that was removed, and
// of a change that was killed before the database knew of it. True when that changed a file. One caller at a time.
bool settle_pairs(const Layout& layout, const std::vector<Certificate>& named);

struct InstalledPair {
  HostName host;
  std::filesystem::path file;
  std::string id;  // letters and digits: another content has another one
};
// By host. What is no certificate's file is left out.
std::vector<InstalledPair> installed_pairs(const Layout& layout);

}  // namespace pushrod
