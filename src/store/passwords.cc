// Makes passwords with libsodium.
#include "store/passwords.hh"

#include <fmt/format.h>
#include <sodium.h>

#include <array>
#include <string_view>

#include "base/error.hh"

namespace pushrod {

namespace {

std::string in_hexadecimal(const unsigned char* bytes, std::size_t count) {
  std::string text;
  for (std::size_t at = 0; at < count; ++at) text += fmt::format("{:02x}", bytes[at]);
  return text;
}

}  // namespace

std::string make_login_secret() {
  if (sodium_init() < 0) throw Error("libsodium cannot be used on this machine");
  std::array<unsigned char, 32> secret{};
  randombytes_buf(secret.data(), secret.size());
  return in_hexadecimal(secret.data(), secret.size());
}

std::string make_login_token(const std::string& secret, std::int64_t key, std::int64_t expiry) {
  if (sodium_init() < 0) throw Error("libsodium cannot be used on this machine");
  std::array<unsigned char, 16> nonce{};
  randombytes_buf(nonce.data(), nonce.size());
  const auto token = fmt::format("{}.{}.{}", expiry, in_hexadecimal(nonce.data(), nonce.size()), key);
  const auto signed_text = "link." + token;
  // The secret's text is the key: the router has it in this form.
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, reinterpret_cast<const unsigned char*>(secret.data()), secret.size());
  crypto_auth_hmacsha256_update(&state, reinterpret_cast<const unsigned char*>(signed_text.data()), signed_text.size());
  std::array<unsigned char, crypto_auth_hmacsha256_BYTES> signature{};
  crypto_auth_hmacsha256_final(&state, signature.data());
  return token + "." + in_hexadecimal(signature.data(), signature.size());
}

NewPassword make_password(const std::string& name) {
  constexpr std::string_view kCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  constexpr std::size_t kLength = 24;
  if (sodium_init() < 0) throw Error("libsodium cannot be used on this machine");
  std::string password;
  while (password.size() < kLength) {
    password += kCharacters[randombytes_uniform(static_cast<std::uint32_t>(kCharacters.size()))];
  }
  std::array<unsigned char, 16> salt{};
  randombytes_buf(salt.data(), salt.size());
  AccessUser user{name, in_hexadecimal(salt.data(), salt.size()), {}};
  const auto text = user.salt + password;
  std::array<unsigned char, crypto_hash_sha256_BYTES> hash{};
  crypto_hash_sha256(hash.data(), reinterpret_cast<const unsigned char*>(text.data()), text.size());
  user.hash = in_hexadecimal(hash.data(), hash.size());
  return {Secret(std::move(password)), std::move(user)};
}

}  // namespace pushrod
