#include "storage/base/uuid.h"

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "storage/base/openssl_error.h"

namespace mendel {

namespace {

constexpr std::string_view kShape = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
constexpr std::string_view kHexDigits = "0123456789abcdef";

// OpenSSL's generator takes a microsecond to be asked, for many bytes as for few: each
// thread asks for many.
class RandomBytes {
 public:
  void fill(std::span<unsigned char> bytes) {
    if (bytes.size() > pool_.size() - used_) {
      if (RAND_bytes(pool_.data(), pool_.size()) != 1) throw_openssl_error("make a UUID");
      used_ = 0;
    }
    std::copy_n(pool_.begin() + used_, bytes.size(), bytes.begin());
    used_ += bytes.size();
  }

 private:
  std::array<unsigned char, 1024> pool_;
  std::size_t used_ = pool_.size();
};

}  // namespace

std::string make_uuid_v7(Timestamp now) {
  thread_local RandomBytes random;
  std::array<unsigned char, 16> bytes;
  random.fill(std::span(bytes).subspan<6>());

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
