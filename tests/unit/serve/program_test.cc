// The threads of the daemon start this program, as pushrod: it notes its words in the root directory, a line each.
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>

int main(int argc, char** argv) {
  if (argc < 4 || std::strcmp(argv[1], "--root") != 0) {
    testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
  }
  std::string line;
  for (int at = 3; at < argc; ++at) line += std::string(at > 3 ? " " : "") + argv[at];
  std::ofstream(std::string(argv[2]) + "/started", std::ios::app) << line + "\n" << std::flush;
}
