// A public key that was pasted, and the blob in it.
#include "ssh/public_key.hh"
#include "fuzz.hh"
#include "ssh/key_blob.hh"

namespace pushrod {

void fuzz(std::string_view bytes) {
  may_refuse([&] {
    const auto key = parse_public_key(std::string(bytes));
    require(key.text.find_first_of("\n\r\"") == std::string::npos, "a key is one line without options");
    require(parse_public_key(key.text).text == key.text, "an accepted key is accepted again");
    return key;
  });
  const auto [type, blob] = first_line(bytes);
  if (is_key_type(type)) static_cast<void>(problem_of_blob(type, blob));
}

}  // namespace pushrod
