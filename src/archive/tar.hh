// The archive of an app as a stream: GNU tar, in a sandbox that contains nothing but the app's /data and the transfer's
// directories. So neither a link that an app plants while its files are read, nor a name in a hostile archive, leads
// anywhere else. tar_arguments() are pure.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "archive/transfer.hh"
#include "os/command.hh"

namespace pushrod {

// Files of the transfer, in the order in which they come in the stream. `files` are names in its directory; `secrets`
// in the secret one; then /data, if it is not empty.
struct PackList {
  std::vector<std::string> files;
  std::vector<std::string> secrets;
  std::filesystem::path data;  // on the host; empty: without
  // Of data/: what is not read as it is, and names in the transfer's sqlite/ that take its place.
  std::vector<std::string> excluded, copies;
};

// As pack_command() runs it: /archive and /secrets are the transfer, /data is the app's.
std::vector<std::string> pack_arguments(const PackList& list);
std::vector<std::string> unpack_arguments();

// The command that writes the stream to its standard output. Writes the lists that tar reads into the transfer.
Command pack_command(const Layout& layout, const Transfer& transfer, const PackList& list);
// How it ended: throws Error unless the whole archive was written. Files that changed while they were read are none.
void check_packed(const CommandResult& result, const std::string& complaints);

// Reads the stream into the transfer: secrets/settings and secrets/certificates, and the rest into its files. Stops
// when less than `free_space` bytes are free, or when cancel_fd is readable. Throws UserError, in one line, for what is
// no whole archive: truncated, names or links that lead out, a name that comes twice, devices.
void unpack(const Layout& layout, const Transfer& transfer, int in, std::uint64_t free_space, int cancel_fd);

// Reads the stream to its end without writing anything; returns its length in bytes. Throws Error unless it is whole.
std::uint64_t check_stream(const Layout& layout, int in);

// The last member of an archive. Without it the stream was cut off.
inline constexpr const char* kEndMember = "end";

}  // namespace pushrod
