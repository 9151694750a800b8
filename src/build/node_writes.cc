// Looks for words in the code: it is read for each push, so it is not parsed.
#include "build/node_writes.hh"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <string_view>

namespace pushrod {

namespace {

bool contains(std::string_view text, std::string_view word) { return text.find(word) != text.npos; }

// process.env.UPLOAD_DIR || "uploads"
bool reads_place(const std::string& code) {
  constexpr std::string_view kVariable = "process.env.";
  for (auto at = code.find(kVariable); at != code.npos; at = code.find(kVariable, at + 1)) {
    const auto begin = at + kVariable.size();
    const auto end = std::min(code.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_", begin), code.size());
    const auto name = std::string_view(code).substr(begin, end - begin);
    for (const char* word : {"DIR", "DIRECTORY", "PATH", "FILE", "FOLDER", "ROOT", "STORAGE"}) {
      if (name.ends_with(word)) return true;
    }
  }
  return false;
}

}  // namespace

bool is_script(const std::string& name) {
  const auto end = std::filesystem::path(name).extension();
  return end == ".js" || end == ".ts" || end == ".mjs" || end == ".cjs" || end == ".mts";
}

bool is_program(const std::string& name) {
  if (!is_script(name) || name.ends_with(".d.ts")) return false;
  for (const char* word : {".config.", ".test.", ".spec.", "gulpfile", "Gruntfile", "webpack."}) {
    if (contains(name, word)) return false;
  }
  return true;
}

bool writes_files(const std::string& code) {
  constexpr const char* kCalls[] = {"writeFile",         "appendFile",       "createWriteStream(", "mkdirSync(",
                                    ".mkdir(",           "mkdirp(",          "copyFile",           "outputFile",
                                    "outputJson",        "writeJson",        "ensureDir",          "multer(",
                                    "diskStorage(",      "bun:sqlite",       "DatabaseSync(",      "pino/file",
                                    "new LocalStorage(", "transports.File(", "'dateFile'",         "\"dateFile\""};
  return std::any_of(std::begin(kCalls), std::end(kCalls), [&](const char* call) { return contains(code, call); });
}

bool writes_elsewhere(const std::string& code) {
  if (reads_place(code)) return true;
  for (const char* place :
       {"tmpdir(", "mkdtemp", "memoryStorage", "'/tmp", "\"/tmp", "`/tmp", "'/data", "\"/data", "`/data"}) {
    if (contains(code, place)) return true;
  }
  return false;
}

}  // namespace pushrod
