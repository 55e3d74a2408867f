#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "storage/base/digest.h"
#include "storage/object_store.h"
#include "storage/pack.h"

namespace mendel::storage {

// One record that is wanted, and where its raw bytes go: raw.size() is its raw size.
struct WantedRecord {
  RecordLocation location;
  std::span<std::byte> raw;
};

// Reads records of one pack, in any order, and checks the checksum of each. Records that
// lie near each other come in one read, so that many small ones cost what one large one
// does. Holds kBatchReadSizeMax bytes, or the largest record. Throws data_loss.
void read_records(ObjectStore& objects, const Digest& pack_name,
                  std::vector<WantedRecord> wanted);

inline constexpr std::size_t kBatchReadSizeMax = 1 << 20;

// So many bytes between two wanted records are read and thrown away rather than skipped.
inline constexpr std::size_t kBatchReadGapMax = 32 * 1024;

}  // namespace mendel::storage
