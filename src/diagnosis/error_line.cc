// Recognises lines that report an error, in the words of common languages and tools.
#include <re2/re2.h>

#include "diagnosis/diagnosis.hh"

namespace pushrod {

bool looks_like_error(std::string_view line) {
  static const re2::RE2 kError(
      // TypeError: …, java.lang.IllegalStateException: …, (Errno::EROFS), [ERR_MODULE_NOT_FOUND]
      R"(\b[A-Z][A-Za-z0-9]*(?:Error|Exception)\b|\bE[A-Z]{4,}\b:|\bERR[!_])"
      // ERROR in ./src, [error], error: …, error TS2304: …, fatal: …, panic: …
      R"(|(?i:(?:^|[\s\[(<:|*])(?:error|fatal|panic|critical|exception|failed|failure)\b))"
      R"(|(?i:\b(?:cannot|can't|could not|couldn't|unable to|failed to|not found|no such file|permission denied)\b))"
      R"(|(?i:\b(?:connection refused|read-only file system|segmentation fault|out of memory|unhandled|uncaught)\b))"
      R"(|(?i:\b(?:already in use|not set|no module named|undefined (?:reference|method|variable|symbol))\b))");
  static const re2::RE2 kHarmless(
      R"((?i)\b(?:0|no) (?:errors?|failures?|failed)\b|\bwarn(?:ing)?\b|\bdeprecat|\bnpm notice\b)"
      R"(|\b(?:errors?|failed|failures?)[:=]\s*0\b|\bon[-_ ]error\b|\berror[-_]pages?\b)");
  const re2::StringPiece text(line.data(), line.size());
  return re2::RE2::PartialMatch(text, kError) && !re2::RE2::PartialMatch(text, kHarmless);
}

}  // namespace pushrod
