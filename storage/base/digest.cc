#include "storage/base/digest.h"

#include <algorithm>

#include "storage/base/error.h"
#include "storage/base/sha256.h"

namespace mendel {

namespace {

constexpr std::string_view kPrefix = "sha256:";

std::optional<unsigned> hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return std::nullopt;
}

}  // namespace

Digest Digest::of(std::span<const std::byte> data) {
  Sha256 sha256;
  sha256.update(data);
  return sha256.finish();
}

Digest Digest::of(std::string_view data) { return of(as_bytes(data)); }

Digest Digest::from_bytes(std::span<const std::byte> bytes) {
  Digest digest;
  std::copy_n(bytes.begin(), kSizeBytes, digest.bytes_.begin());
  return digest;
}

std::optional<Digest> Digest::find_in(std::string_view text) {
  if (text.size() != kPrefix.size() + 2 * kSizeBytes || !text.starts_with(kPrefix)) {
    return std::nullopt;
  }
  text.remove_prefix(kPrefix.size());
  Digest digest;
  for (std::size_t i = 0; i < kSizeBytes; ++i) {
    const auto high = hex_value(text[2 * i]);
    const auto low = hex_value(text[2 * i + 1]);
    if (!high || !low) return std::nullopt;
    digest.bytes_[i] = static_cast<std::byte>(*high << 4 | *low);
  }
  return digest;
}

Digest Digest::parse(std::string_view text) {
  if (const auto digest = find_in(text)) return *digest;
  throw Error(ErrorCode::invalid_argument,
              "a digest is 'sha256:' and 64 lower-case hexadecimal digits");
}

std::string Digest::hex() const {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * kSizeBytes);
  for (const std::byte b : bytes_) {
    text += digits[std::to_integer<unsigned>(b) >> 4];
    text += digits[std::to_integer<unsigned>(b) & 15];
  }
  return text;
}

}  // namespace mendel
