// SQLite's own access to files, but for one thing: a journal that exists does not count as new.
// SQLite closes the journal after each transaction, and flushes the directory of a journal that it opens for
// writing, although in journal mode PERSIST its directory entry never changes. So a process flushes the directory once
// for each journal file (by its inode), and not for every transaction.
#pragma once

namespace pushrod {

// Registers it if that has not happened yet; the name to open databases with.
const char* journal_vfs();

}  // namespace pushrod
