#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace mendel {

// A SHA-256 (FIPS 180-4), the address of everything stored. Its text is "sha256:" and 64
// lower-case hexadecimal digits, what sha256sum, Git LFS and OCI registries print.
class Digest {
 public:
  static constexpr std::size_t kSizeBytes = 32;

  Digest() = default;
  explicit Digest(const std::array<std::byte, kSizeBytes>& bytes) : bytes_(bytes) {}

  static Digest of(std::span<const std::byte> data);
  static Digest of(std::string_view data);

  // bytes.size() must be kSizeBytes.
  static Digest from_bytes(std::span<const std::byte> bytes);

  // "sha256:…" to a Digest; parse throws invalid_argument with the rule, find_ does not.
  static Digest parse(std::string_view text);
  static std::optional<Digest> find_in(std::string_view text);

  std::span<const std::byte, kSizeBytes> bytes() const { return bytes_; }
  std::string hex() const;
  std::string to_string() const { return "sha256:" + hex(); }

  friend bool operator==(const Digest&, const Digest&) = default;
  friend auto operator<=>(const Digest&, const Digest&) = default;

 private:
  std::array<std::byte, kSizeBytes> bytes_{};
};

inline std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span{text.data(), text.size()});
}
inline std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace mendel

template <>
struct std::hash<mendel::Digest> {
  // A digest is uniform already: its first bytes are its hash.
  std::size_t operator()(const mendel::Digest& digest) const noexcept {
    std::size_t hash = 0;
    std::memcpy(&hash, digest.bytes().data(), sizeof hash);
    return hash;
  }
};
