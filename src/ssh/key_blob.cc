// Takes a key's blob apart: a row of fields, each a 32-bit length and that many bytes.
// Called by public_key.cc with the decoded base64.
#include "ssh/key_blob.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "base/text.hh"

namespace pushrod {

namespace {

enum class Field { Ed25519Point, CurveName, CurvePoint, Exponent, Modulus, Application };

struct KeyType {
  std::string_view name;
  std::string_view curve;     // of the ecdsa types
  std::size_t point_bytes;    // an uncompressed point on it
  std::vector<Field> fields;  // after the type's name
};

constexpr std::size_t kEd25519Bytes = 32;
constexpr std::size_t kSmallestModulus = 2048;
constexpr std::size_t kLargestModulus = 16384;  // OpenSSH reads no larger one

const std::array<KeyType, 7>& key_types() {
  using enum Field;
  static const std::array<KeyType, 7> kTypes{{
      {"ssh-ed25519", "", 0, {Ed25519Point}},
      {"ssh-rsa", "", 0, {Exponent, Modulus}},
      {"ecdsa-sha2-nistp256", "nistp256", 65, {CurveName, CurvePoint}},
      {"ecdsa-sha2-nistp384", "nistp384", 97, {CurveName, CurvePoint}},
      {"ecdsa-sha2-nistp521", "nistp521", 133, {CurveName, CurvePoint}},
      {"sk-ssh-ed25519@openssh.com", "", 0, {Ed25519Point, Application}},
      {"sk-ecdsa-sha2-nistp256@openssh.com", "nistp256", 65, {CurveName, CurvePoint, Application}},
  }};
  return kTypes;
}

const KeyType* find_type(std::string_view name) {
  const auto found =
      std::find_if(key_types().begin(), key_types().end(), [&](const KeyType& type) { return type.name == name; });
  return found == key_types().end() ? nullptr : &*found;
}

// The fields in order; absent when they do not fill the blob exactly.
std::optional<std::vector<std::string_view>> split_fields(std::string_view blob) {
  std::vector<std::string_view> fields;
  while (!blob.empty()) {
    if (blob.size() < 4) return std::nullopt;
    std::size_t length = 0;
    for (const char byte : blob.substr(0, 4)) length = length << 8 | static_cast<unsigned char>(byte);
    blob.remove_prefix(4);
    if (length > blob.size()) return std::nullopt;
    fields.push_back(blob.substr(0, length));
    blob.remove_prefix(length);
  }
  return fields;
}

// Bits of a positive number in SSH's form (no needless leading zero, highest bit clear); 0 for anything else.
std::size_t bits_of(std::string_view number) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(number[at]); };
  if (number.empty() || byte(0) >= 0x80) return 0;
  if (byte(0) == 0) {
    if (number.size() < 2 || byte(1) < 0x80) return 0;
    number.remove_prefix(1);
  }
  std::size_t bits = (number.size() - 1) * 8;
  for (unsigned top = byte(0); top != 0; top >>= 1) ++bits;
  return bits;
}

bool is_well_formed(Field field, const KeyType& type, std::string_view content) {
  switch (field) {
    case Field::Ed25519Point:
      return content.size() == kEd25519Bytes;
    case Field::CurveName:
      return content == type.curve;
    case Field::CurvePoint:
      return content.size() == type.point_bytes && content.front() == '\x04';
    case Field::Exponent:
      return bits_of(content) >= 2;
    case Field::Modulus:
      return bits_of(content) > 0;
    case Field::Application:
      return !content.empty() && content.find('\0') == std::string_view::npos;
  }
  return false;
}

}  // namespace

bool is_key_type(std::string_view word) { return find_type(word) != nullptr; }

std::optional<BlobProblem> problem_of_blob(std::string_view type_name, std::string_view blob) {
  const KeyType* type = find_type(type_name);
  const auto fields = split_fields(blob);
  const BlobProblem malformed{fmt::format("its content is not that of a key of type {} (cut off?)", type_name),
                              "copy the whole line, without line breaks"};
  if (type == nullptr || !fields || fields->empty()) return malformed;
  if (fields->front() != type->name) {
    return BlobProblem{fmt::format("it says {} but holds {}", type->name, quoted(fields->front(), 60)),
                       "copy the whole line as it is in the .pub file"};
  }
  if (fields->size() != type->fields.size() + 1) return malformed;
  for (std::size_t at = 0; at < type->fields.size(); ++at) {
    if (!is_well_formed(type->fields[at], *type, (*fields)[at + 1])) return malformed;
  }
  if (type->fields.back() != Field::Modulus) return std::nullopt;
  const std::size_t bits = bits_of(fields->back());
  if (bits < kSmallestModulus) {
    return BlobProblem{fmt::format("an RSA key of {} bits is too weak; {} are needed", bits, kSmallestModulus),
                       "make a new key: ssh-keygen -t ed25519"};
  }
  if (bits > kLargestModulus) {
    return BlobProblem{fmt::format("an RSA key of {} bits is larger than OpenSSH reads ({})", bits, kLargestModulus),
                       "make a new key: ssh-keygen -t ed25519"};
  }
  return std::nullopt;
}

}  // namespace pushrod
