// The tar that writes an archive, going on beside us.
#pragma once

#include "archive/tar.hh"
#include "os/unique_fd.hh"

namespace pushrod {

class Packer {
 public:
  Packer(const Layout& layout, const Transfer& transfer, const PackList& list, int out);
  // Throws unless it wrote all.
  void finish();

 private:
  UniqueFd log_;
  Command command_;
  ChildProcess tar_;
};

}  // namespace pushrod
