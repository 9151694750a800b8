// The mounts over directories of /app, made in one sandbox before anything of the app runs in it: layers, and
// directories that are writable. What is written to the latter lies in a tmpfs that only these mounts hold, so that it
// ends with the sandbox, and no other sandbox sees it.
// Beside the house; README.md tells the words "layer=", "changes=" and "writable=" and what a sandbox that has them
// must be given.
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shim/parts.hh"

namespace shim {

namespace {

constexpr char kWritable[] = "writable=";
constexpr char kLayer[] = "layer=";
constexpr char kChanges[] = "changes=";
constexpr const char* kDoing = "make writable";
constexpr const char* kLayering = "mount a layer on";
// bwrap has mounted the directories of the layers there: N, and N.changes.
constexpr const char* kOffered = "/.layers";
constexpr unsigned long kMountFlags = MS_NOSUID | MS_NODEV;
// The layers are made below /tmp, under a mount of our own that is gone from there when all of them are mounted.
constexpr const char* kLayers = "/tmp";
constexpr uint64_t kLayersSize = 256 << 20;

template <typename... Parts>
void join(char* to, Parts... parts) {
  ((to = stpcpy(to, parts)), ...);
}

// As getdents64() writes it; the name follows.
struct Entry {
  uint64_t inode;
  int64_t offset;
  uint16_t length;
  uint8_t type;
} __attribute__((packed));

bool is_empty(int directory) {
  char buffer[1024];
  for (long size; (size = syscall(SYS_getdents64, directory, buffer, sizeof buffer)) > 0;) {
    for (long at = 0; at < size;) {
      const auto* entry = reinterpret_cast<const Entry*>(buffer + at);
      const char* name = buffer + at + sizeof(Entry);
      if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0) return false;
      at += entry->length;
    }
  }
  return true;
}

// What all layers together may hold: no more than the sandbox may use, where a wall says so.
uint64_t size_of_layers(char** words) {
  constexpr char kMemory[] = "memory=";
  for (; *words != nullptr && strcmp(*words, "--") != 0; ++words) {
    if (strncmp(*words, kMemory, sizeof kMemory - 1) != 0) continue;
    const uint64_t memory = strtoul(*words + sizeof kMemory - 1, nullptr, 10);
    if (memory < kLayersSize) return memory;
  }
  return kLayersSize;
}

// Paths of the release are named by ".", the working directory: in the options of an overlay, "," ":" and "\" mean
// something.
void cover(const char* path, unsigned number) {
  if (chdir("/app") != 0 || chdir(path) != 0) fail(kDoing, path);
  struct stat about;
  const int directory = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0 || fstat(directory, &about) != 0) fail(kDoing, path);
  const bool empty = is_empty(directory);
  close(directory);

  char digits[16] = {};
  write_number(digits, number);
  char base[32];
  char upper[48];
  char work[48];
  join(base, kLayers, "/", digits);
  join(upper, base, "/upper");
  join(work, base, "/work");
  if (mkdir(base, 0755) != 0 || mkdir(upper, 0700) != 0 || mkdir(work, 0700) != 0) fail(kDoing, path);
  if (chmod(upper, about.st_mode & 07777) != 0) fail(kDoing, path);
  // Over an empty directory the layer itself does, on kernels without such overlays, too, and without what an overlay
  // cannot do (README.md).
  if (empty) {
    if (mount(upper, ".", nullptr, MS_BIND, nullptr) != 0) fail(kDoing, path);
    return;
  }
  char options[160];
  join(options, "lowerdir=.,upperdir=", upper, ",workdir=", work, ",userxattr");
  if (mount("overlay", ".", "overlay", kMountFlags, options) != 0) fail(kDoing, path);
}

// Without a symlink anywhere on the way: the app's files say what lies there.
void stand_on(const char* path) {
  open_how how = {};
  how.flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  how.resolve = RESOLVE_NO_SYMLINKS;
  const long directory = syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
  if (directory < 0 || fchdir(static_cast<int>(directory)) != 0) fail(kLayering, path);
  close(static_cast<int>(directory));
}

void lay(const char* path, unsigned number, bool keeps_changes) {
  stand_on(path);
  char digits[16] = {};
  write_number(digits, number);
  char layer[32];
  join(layer, kOffered, "/", digits);
  if (!keeps_changes) {
    if (mount(layer, ".", nullptr, MS_BIND, nullptr) != 0) fail(kLayering, path);
    return;
  }
  char options[192];
  join(options, "lowerdir=", layer, ",upperdir=", layer, ".changes/upper,workdir=", layer, ".changes/work,userxattr");
  if (mount("overlay", ".", "overlay", kMountFlags, options) != 0) fail(kLayering, path);
}

// The value of a word, or null if the word is another one.
const char* value_of(const char* word, const char* name) {
  const size_t length = strlen(name);
  return word != nullptr && strncmp(word, name, length) == 0 ? word + length : nullptr;
}

// Mounts the tmpfs for what is written, the first time.
void need_tmpfs(bool& is_there, char** words) {
  if (is_there) return;
  char size[24] = {};
  write_number(size, size_of_layers(words));
  char options[64];
  join(options, "mode=0755,size=", size);
  if (mount("tmpfs", kLayers, "tmpfs", kMountFlags, options) != 0) fail(kDoing, "/app");
  is_there = true;
}

bool is_mount_word(const char* word) {
  return value_of(word, kWritable) != nullptr || value_of(word, kLayer) != nullptr ||
         value_of(word, kChanges) != nullptr;
}

}  // namespace

void take_mounts(char**& words) {
  if (!is_mount_word(*words)) return;
  char directory[PATH_MAX];
  if (getcwd(directory, sizeof directory) == nullptr) fail(kDoing, "/app");
  // bwrap's mounts belong to its first user namespace, and we are in the second: mounts of our own can be changed.
  if (unshare(CLONE_NEWNS) != 0) fail(kDoing, "/app");
  bool has_tmpfs = false;
  unsigned writable = 0;
  unsigned layers = 0;
  for (; is_mount_word(*words); ++words) {
    if (const char* path = value_of(*words, kWritable)) {
      need_tmpfs(has_tmpfs, words);
      cover(path, writable++);
    } else if (const char* read_only = value_of(*words, kLayer)) {
      lay(read_only, layers++, false);
    } else {
      lay(value_of(*words, kChanges), layers++, true);
    }
  }
  if (has_tmpfs && umount2(kLayers, MNT_DETACH) != 0) fail(kDoing, "/app");
  // Nothing is to change what lies under an overlay.
  if (layers > 0 && mount("tmpfs", kOffered, "tmpfs", kMountFlags | MS_RDONLY, "size=4k") != 0) fail(kLayering, "/app");
  // Anew, by its path: what we stood in may lie under a mount now.
  if (chdir(directory) != 0) fail("enter", directory);
}

}  // namespace shim
