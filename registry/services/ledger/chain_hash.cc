#include "registry/services/ledger/chain_hash.h"

#include <array>
#include <cstddef>
#include <string_view>

#include "storage/base/sha256.h"

namespace mendel::registry {

namespace {

constexpr std::string_view kFormat = "mendel ledger 1\n";

std::array<std::byte, 8> big_endian(std::int64_t number) {
  std::array<std::byte, 8> bytes;
  auto rest = static_cast<std::uint64_t>(number);
  for (auto byte = bytes.rbegin(); byte != bytes.rend(); ++byte) {
    *byte = static_cast<std::byte>(rest & 0xff);
    rest >>= 8;
  }
  return bytes;
}

}  // namespace

Digest hash_of(const ChainLink& link) {
  Sha256 hash;
  hash.update(as_bytes(kFormat));
  hash.update(link.previous.bytes());
  hash.update(big_endian(link.sequence));
  hash.update(big_endian(link.recorded_at.time_since_epoch().count()));
  hash.update(big_endian(link.entry_count));
  hash.update(link.digest.bytes());
  return hash.finish();
}

}  // namespace mendel::registry
