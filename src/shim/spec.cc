// Reads ./spec; README.md tells its format, src/sandbox/shim_spec.cc writes it.
// Beside the house; the first thing that the keeper does.
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim/parts.hh"

namespace shim {

namespace {

constexpr size_t kSpecCap = 1 << 20;

[[noreturn]] void refuse(const char* why) {
  complain("read", "./spec", why);
  _exit(100);
}

const char* value_of(const char* entry, const char* key) {
  const size_t length = strlen(key);
  return strncmp(entry, key, length) == 0 && entry[length] == '=' ? entry + length + 1 : nullptr;
}

uint64_t number_in(const char* digits) {
  uint64_t number = 0;
  for (; *digits >= '0' && *digits <= '9'; ++digits) number = number * 10 + static_cast<uint64_t>(*digits - '0');
  return number;
}

}  // namespace

Spec read_spec() {
  Spec spec;
  const int fd = open("spec", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  struct stat status;
  if (fd < 0 || fstat(fd, &status) != 0) fail("open", "./spec");
  const size_t size = static_cast<size_t>(status.st_size);
  if (size == 0 || size > kSpecCap) refuse("it is empty or longer than 1 MiB");

  // Every entry takes at least two bytes, so that the vectors never need more than this.
  const size_t padded = (size + 15) / 16 * 16;
  spec.mapped = padded + (size / 2 + 4) * sizeof(char*);
  spec.mapping = mmap(nullptr, spec.mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (spec.mapping == MAP_FAILED) fail("get memory for", "./spec");
  char* text = static_cast<char*>(spec.mapping);
  size_t got = 0;
  while (got < size) {
    const ssize_t now = read(fd, text + got, size - got);
    if (now <= 0) fail("read", "./spec");
    got += static_cast<size_t>(now);
  }
  close(fd);
  if (text[size - 1] != '\0') refuse("its last entry does not end in a NUL");

  // The arguments grow from the front and the variables from the back; at the end each has its null pointer.
  char** vectors = reinterpret_cast<char**>(text + padded);
  size_t arguments = 0;
  size_t variables = size / 2 + 4;
  vectors[--variables] = nullptr;
  bool has_mode = false;
  for (char* entry = text; entry < text + size; entry += strlen(entry) + 1) {
    if (const char* mode = value_of(entry, "mode")) {
      spec.sandbox = strcmp(mode, "sandbox") == 0;
      has_mode = spec.sandbox || strcmp(mode, "exec") == 0;
    } else if (const char* argument = value_of(entry, "arg")) {
      vectors[arguments++] = const_cast<char*>(argument);
    } else if (const char* variable = value_of(entry, "env")) {
      vectors[--variables] = const_cast<char*>(variable);
    } else if (const char* keep = value_of(entry, "keep_listeners")) {
      spec.keep_listeners = *keep == '1';
    } else if (const char* separate = value_of(entry, "keep_stderr")) {
      spec.keep_stderr = *separate == '1';
    } else if (const char* attached = value_of(entry, "keep_stdin")) {
      spec.keep_stdin = *attached == '1';
    } else if (const char* gather = value_of(entry, "gather")) {
      spec.gather = *gather == '1';
    } else if (const char* number = value_of(entry, "second_stop")) {
      spec.second_stop = static_cast<int>(number_in(number));
    } else if (const char* after = value_of(entry, "second_stop_after")) {
      spec.second_stop_after = number_in(after);
    } else if (const char* lock = value_of(entry, "lock")) {
      spec.lock = lock;
    } else if (const char* cgroup = value_of(entry, "cgroup")) {
      spec.cgroup = cgroup;
    } else {
      refuse("it has an entry that this version does not know");
    }
  }
  if (!has_mode || arguments == 0) refuse("it names no mode or no program");
  if (spec.sandbox && spec.lock == nullptr) refuse("a sandbox needs a lock");
  vectors[arguments] = nullptr;
  spec.argv = vectors;
  spec.environment = vectors + variables;
  return spec;
}

}  // namespace shim
