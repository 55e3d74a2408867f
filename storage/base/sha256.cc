// The chaining value of a message is only to be had from OpenSSL's older interface, which
// its version 3 calls deprecated. It also needs no memory of its own.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "storage/base/sha256.h"

#include <openssl/sha.h>

#include <algorithm>
#include <new>

#include "storage/base/sha256_pair.h"

namespace mendel {

struct Sha256::Context : SHA256_CTX {
  // So many bytes complete the block that has begun.
  std::size_t bytes_to_boundary() const {
    return num == 0 ? 0 : kSha256BlockSizeBytes - num;
  }

  // h has taken in so many bytes without OpenSSL.
  void count(std::uint64_t size_bytes) {
    const std::uint64_t bits = (std::uint64_t{Nh} << 32 | Nl) + 8 * size_bytes;
    Nl = static_cast<SHA_LONG>(bits);
    Nh = static_cast<SHA_LONG>(bits >> 32);
  }
};

Sha256::Sha256() {
  static_assert(sizeof(Context) == kContextSizeBytes && alignof(Context) <= 8);
  SHA256_Init(new (storage_.data()) Context);
}

Sha256::Context& Sha256::context() {
  return *std::launder(reinterpret_cast<Context*>(storage_.data()));
}

void Sha256::update(std::span<const std::byte> data) {
  SHA256_Update(&context(), data.data(), data.size());
}

Digest Sha256::finish() {
  std::array<std::byte, Digest::kSizeBytes> bytes;
  SHA256_Final(reinterpret_cast<unsigned char*>(bytes.data()), &context());
  SHA256_Init(&context());
  return Digest(bytes);
}

void Sha256::update_both(Sha256& first, Sha256& second, std::span<const std::byte> data) {
  auto first_left = data;
  auto second_left = data;
  if (can_compress_pairs() && data.size() >= 2 * kSha256BlockSizeBytes) {
    Context& a = first.context();
    Context& b = second.context();
    const std::size_t first_lead = a.bytes_to_boundary();
    const std::size_t second_lead = b.bytes_to_boundary();
    first.update(data.first(first_lead));
    second.update(data.first(second_lead));

    const std::size_t block_count =
        (data.size() - std::max(first_lead, second_lead)) / kSha256BlockSizeBytes;
    const std::size_t size_bytes = block_count * kSha256BlockSizeBytes;
    sha256_compress_pair(a.h, data.data() + first_lead, b.h, data.data() + second_lead,
                         block_count);
    a.count(size_bytes);
    b.count(size_bytes);
    first_left = data.subspan(first_lead + size_bytes);
    second_left = data.subspan(second_lead + size_bytes);
  }
  first.update(first_left);
  second.update(second_left);
}

}  // namespace mendel
