#include "storage/base/uuid.h"

#include <openssl/rand.h>

#include <array>
#include <cstdint>

#include "storage/base/openssl_error.h"

namespace mendel {

namespace {

constexpr std::string_view kShape = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
constexpr std::string_view kHexDigits = "0123456789abcdef";

}  // namespace

std::string make_uuid_v7(Timestamp now) {
  std::array<unsigned char, 16> bytes;
  if (RAND_bytes(bytes.data(), bytes.size()) != 1) throw_openssl_error("make a UUID");

  const auto since_1970 =
      std::chrono::floor<std::chrono::milliseconds>(now.time_since_epoch());
  const auto milliseconds = static_cast<std::uint64_t>(since_1970.count());
  for (int i = 0; i < 6; ++i) {
    bytes[i] = static_cast<unsigned char>(milliseconds >> (8 * (5 - i)));
  }
  bytes[6] = 0x70 | (bytes[6] & 0x0f);
  bytes[8] = 0x80 | (bytes[8] & 0x3f);

  std::string text(kShape);
  std::size_t nibble = 0;
  for (char& c : text) {
    if (c == '-') continue;
    const unsigned byte = bytes[nibble / 2];
    c = kHexDigits[nibble % 2 == 0 ? byte >> 4 : byte & 15];
    ++nibble;
  }
  return text;
}

bool is_uuid(std::string_view text) {
  if (text.size() != kShape.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool fits = kShape[i] == '-' ? text[i] == '-'
                                       : kHexDigits.find(text[i]) != std::string_view::npos;
    if (!fits) return false;
  }
  return true;
}

}  // namespace mendel
