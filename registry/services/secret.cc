#include "registry/services/secret.h"

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "storage/base/openssl_error.h"

namespace mendel::registry {

namespace {

constexpr std::string_view kPrefix = "mdl_";
constexpr std::size_t kEncodedSize = 43;
constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

}  // namespace

std::string make_secret() {
  std::array<unsigned char, 33> bytes{};  // 256 bits; the last byte only fills up 43 × 6
  if (RAND_bytes(bytes.data(), 32) != 1) throw_openssl_error("make a secret");

  std::string secret(kPrefix);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::uint32_t group = bytes[i] << 16 | bytes[i + 1] << 8 | bytes[i + 2];
    for (int shift = 18; shift >= 0; shift -= 6) secret += kAlphabet[group >> shift & 63];
  }
  secret.resize(kPrefix.size() + kEncodedSize);
  return secret;
}

bool is_secret(std::string_view text) {
  return text.size() == kPrefix.size() + kEncodedSize && text.starts_with(kPrefix) &&
         std::ranges::all_of(text.substr(kPrefix.size()), [](char c) {
           return kAlphabet.find(c) != std::string_view::npos;
         });
}

}  // namespace mendel::registry
