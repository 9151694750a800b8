// SSH_ORIGINAL_COMMAND: the client's request, parsed without a shell.
// Pure. Everything that is not clearly one of the two forms is refused with UserError, quoted and escaped.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "model/names.hh"

namespace pushrod {

struct VerbRequest {
  std::vector<std::string> words;  // "app", "list", …
};
struct GitRequest {
  bool push = false;  // git-receive-pack; otherwise git-upload-pack
  std::string repo;   // as asked for, unquoted, without one leading "/" and one trailing ".git"; not yet a RepoName
};

// Words are separated by spaces; quoting as git and people do it: 'single', "double" (with \" and \\), and \x outside
// quotes. No expansion of any kind. At most 64 kB and 256 words of UTF-8 without control characters; empty (a login
// without a command) is refused with a hint, and so are programs that clients expect in a shell account (scp, rsync).
std::variant<GitRequest, VerbRequest> parse_original_command(const std::string& text);

}  // namespace pushrod
