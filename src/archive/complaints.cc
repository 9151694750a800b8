// What a program that runs beside us says on standard error.
#include "archive/complaints.hh"

#include <fcntl.h>
#include <unistd.h>

#include "os/files.hh"

namespace pushrod {

UniqueFd open_complaints(const Transfer& transfer) {
  const auto path = transfer.files() / "complaints";
  auto file = open_file(path, O_RDWR | O_CREAT | O_TRUNC);
  remove_file(path);
  return file;
}

std::string read_complaints(const UniqueFd& file) {
  constexpr std::size_t kMost = 65'536;
  std::string text(kMost, '\0');
  const auto length = pread(file.get(), text.data(), text.size(), 0);
  text.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
  return text;
}

}  // namespace pushrod
