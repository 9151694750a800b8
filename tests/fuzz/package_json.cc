// A package.json.
#include <fcntl.h>

#include <filesystem>
#include "fuzz.hh"

#include "build/package_json.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

struct Directory {
  Directory() {
    std::string name = "/dev/shm/pushrod-fuzz-XXXXXX";
    require(mkdtemp(name.data()) != nullptr, "there is room in /dev/shm");
    path = name;
  }
  ~Directory() { remove_tree(path); }
  std::filesystem::path path;
};

}  // namespace

void fuzz(std::string_view bytes) {
  static const Directory directory;
  static const auto file = open_file(directory.path / "package.json", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  require(ftruncate(file.get(), 0) == 0 && pwrite(file.get(), bytes.data(), bytes.size(), 0) == ssize_t(bytes.size()),
          "the input can be written");
  may_refuse([&] {
    const auto package = read_package_json(directory.path);
    return package ? command_without_start_script(directory.path, *package) : "";
  });
}

}  // namespace pushrod
