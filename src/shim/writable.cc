// Makes directories of /app writable for one sandbox, before anything of the app runs in it. What is written lies in a
// tmpfs that only these mounts hold, so that it ends with the sandbox, and no other sandbox sees it.
// Beside the house; README.md tells the word "writable=" and what a sandbox that has it must be given.
#include <fcntl.h>
#include <limits.h>
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

constexpr char kWord[] = "writable=";
constexpr size_t kWordLength = sizeof kWord - 1;
constexpr const char* kDoing = "make writable";
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

}  // namespace

void take_writable(char**& words) {
  if (*words == nullptr || strncmp(*words, kWord, kWordLength) != 0) return;
  char directory[PATH_MAX];
  if (getcwd(directory, sizeof directory) == nullptr) fail(kDoing, "/app");
  // bwrap's mounts belong to its first user namespace, and we are in the second: mounts of our own can be changed.
  if (unshare(CLONE_NEWNS) != 0) fail(kDoing, "/app");
  char size[24] = {};
  write_number(size, size_of_layers(words));
  char options[64];
  join(options, "mode=0755,size=", size);
  if (mount("tmpfs", kLayers, "tmpfs", kMountFlags, options) != 0) fail(kDoing, "/app");
  for (unsigned number = 0; *words != nullptr && strncmp(*words, kWord, kWordLength) == 0; ++words, ++number) {
    cover(*words + kWordLength, number);
  }
  if (umount2(kLayers, MNT_DETACH) != 0) fail(kDoing, "/app");
  // Anew, by its path: what we stood in may lie under a mount now.
  if (chdir(directory) != 0) fail("enter", directory);
}

}  // namespace shim
