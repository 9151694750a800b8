// The binary part of a public key: RFC 4253 §6.6, RFC 5656, RFC 8709 and OpenSSH's PROTOCOL.u2f.
// Used inside ssh/ only.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pushrod {

struct BlobProblem {
  std::string message;
  std::string hint;
};

// Is it one of the key types that OpenSSH accepts by default (certificates not counted)?
bool is_key_type(std::string_view word);
// What is wrong with the blob of a key of this type; absent if nothing is.
std::optional<BlobProblem> problem_of_blob(std::string_view type, std::string_view blob);

}  // namespace pushrod
