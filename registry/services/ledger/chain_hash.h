#pragma once

#include <cstdint>

#include "storage/base/clock.h"
#include "storage/base/digest.h"

namespace mendel::registry {

// A link of the ledger's chain, without the hash that it gets.
struct ChainLink {
  Digest previous;  // the hash of the batch before it; of zeros for the first one
  std::int64_t sequence = 0;
  Timestamp recorded_at;
  std::int64_t entry_count = 0;
  Digest digest;  // of the batch: SHA-256 over the hashes of its entries, in their order
};

// SHA-256 of "mendel ledger 1\n" and of the members in their order, numbers in 64 bits and
// the most significant byte first, the time in microseconds since 1970. Anybody may
// recompute it from the rows.
Digest hash_of(const ChainLink& link);

}  // namespace mendel::registry
