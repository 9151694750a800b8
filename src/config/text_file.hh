// The one reader of small text files that people write: Procfile, pushrod.toml, server.toml, .env files, package.json,
// .python-version, a maintenance page, a public key. Editors and shells on other systems write the same text with other
// bytes, so a byte order mark at the start and CRLF at the end of a line are accepted and removed here, before any
// parser sees the text.
#pragma once

#include <string>
#include <string_view>

namespace pushrod {

// The text of a file: valid UTF-8 without a byte order mark, without NUL, each line ended by LF. Throws UserError,
// which names the file as `shown` and, where there is one, the line: for UTF-16 and UTF-32 (with or without a byte
// order mark), for a NUL byte, for bytes that are not UTF-8. The message never contains any of the text.
//
// OtherBytes::Keep: for a file whose parser decides itself where bytes that are not UTF-8 may stand.
enum class OtherBytes { Refuse, Keep };
std::string decode_text(std::string_view bytes, const std::string& shown, OtherBytes other = OtherBytes::Refuse);

// True if the bytes begin with the byte order mark of UTF-16: some tools (pip) read such a file.
bool has_utf16_mark(std::string_view bytes);

}  // namespace pushrod
