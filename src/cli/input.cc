// What a command is given to read.
#include "cli/input.hh"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/output.hh"
#include "config/text_file.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

UserError too_long(const std::string& from, const Input& input) {
  return UserError(fmt::format("{} is too long for {}", from, input.what),
                   fmt::format("{} may have {}", input.what, format_bytes(input.cap)));
}

}  // namespace

std::string read_standard_input(const Input& input) {
  if (is_terminal(STDIN_FILENO)) fmt::print(stderr, "Reading {} from here: end it with Ctrl-D.\n", input.what);
  std::string text;
  char buffer[65536];
  while (text.size() <= input.cap) {
    const auto got = read(STDIN_FILENO, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_errno("reading standard input");
    if (got == 0) return text;
    text.append(buffer, static_cast<std::size_t>(got));
  }
  throw too_long("standard input", input);
}

std::string read_input(const Context& context, const std::string& file, const Input& input) {
  if (file == "-") return read_standard_input(input);
  if (context.caller().is_remote()) {
    throw UserError(fmt::format("over SSH {} is read from standard input", input.what), input.over_ssh);
  }
  std::error_code ignored;
  if (fs::exists(file, ignored) && !fs::is_regular_file(file, ignored)) {
    throw UserError(fmt::format("{} is not a regular file", quoted(file)),
                    fmt::format("name a file with {}, or say - for standard input", input.what));
  }
  const auto size = fs::file_size(file, ignored);
  if (!ignored && size > input.cap) throw too_long(quoted(file), input);
  auto text = read_file(file, input.cap);
  if (!text) {
    throw UserError(fmt::format("there is no file {}", quoted(file)),
                    fmt::format("name a file with {}, or say - for standard input", input.what));
  }
  return *std::move(text);
}

std::string read_text_input(const Context& context, const std::string& file, const Input& input) {
  return decode_text(read_input(context, file, input), file == "-" ? "standard input" : escaped(file));
}

}  // namespace pushrod
