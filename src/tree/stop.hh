// The end of the tree.
#pragma once

namespace pushrod {

// Run by s6-svscan, in run/scan, when it is told to stop (supervise/supervise.hh, prepare_scan).
int stop_tree();

}  // namespace pushrod
