// The tar that writes an archive.
#include "archive/packer.hh"

#include <fcntl.h>

#include "archive/complaints.hh"
#include "os/files.hh"

namespace pushrod {

Packer::Packer(const Layout& layout, const Transfer& transfer, const PackList& list, int out)
    : log_(open_complaints(transfer)),
      command_(pack_command(layout, transfer, list)),
      tar_(ChildProcess::start(command_, -1, out, log_.get())) {}

void Packer::finish() {
  const auto result = tar_.wait(command_.deadline);
  check_packed(result.value(), read_complaints(log_));
}

}  // namespace pushrod
