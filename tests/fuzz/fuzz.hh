// What fuzz targets share. A target is one file: it defines fuzz(), which gives hostile bytes to a parser. An Error is
// an answer; any other exception, a failed assertion, what the sanitizers report and a broken property are findings.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.hh"

namespace pushrod {

void fuzz(std::string_view bytes);

// Runs a parser that may refuse what it is given.
template <class Parse>
void may_refuse(Parse parse) {
  try {
    static_cast<void>(parse());
  } catch (const Error&) {
  }
}

// A property that must hold, whatever came in.
inline void require(bool holds, const char* property) {
  if (holds) return;
  static_cast<void>(std::fprintf(stderr, "broken: %s\n", property));
  std::abort();
}

// The first line, and what follows it: for targets that take a choice and its text.
inline std::pair<std::string_view, std::string_view> first_line(std::string_view bytes) {
  const auto newline = bytes.find('\n');
  if (newline == std::string_view::npos) return {bytes, {}};
  return {bytes.substr(0, newline), bytes.substr(newline + 1)};
}

// A descriptor from which the bytes can be read; the same one each time.
inline int readable(std::string_view bytes) {
  static const int fd = memfd_create("fuzz", MFD_CLOEXEC);
  const bool written = ftruncate(fd, 0) == 0 && pwrite(fd, bytes.data(), bytes.size(), 0) == ssize_t(bytes.size());
  require(written && lseek(fd, 0, SEEK_SET) == 0, "the input can be written to memory");
  return fd;
}

}  // namespace pushrod

// What libFuzzer calls; a target includes this file once. NOLINTNEXTLINE(misc-definitions-in-headers)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  pushrod::fuzz({reinterpret_cast<const char*>(data), size});
  return 0;
}
