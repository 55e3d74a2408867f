#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "storage/base/digest.h"
#include "storage/pack_cache.h"

namespace mendel::storage {

// Reads records that a row or a recipe names: that one is absent, or of another size, is
// data_loss and no question about something unknown. Checksums are checked. For one thread.
class RecordReader {
 public:
  explicit RecordReader(PackCache& packs) : packs_(packs) {}

  // nullptr if the pack lacks it; valid until the next call.
  const RecordLocation* find(const Digest& pack_name, RecordType type,
                             const Digest& digest);

  // Fills raw, whose size is what the record's raw size has to be.
  void read(const Digest& pack_name, RecordType type, const Digest& digest,
            std::span<std::byte> raw);

  std::vector<std::byte> read(const Digest& pack_name, RecordType type,
                              const Digest& digest);

 private:
  const RecordLocation& get(const Digest& pack_name, RecordType type, const Digest& digest);
  template <class Room>
  void read_with(const Digest& pack_name, RecordType type, const Digest& digest,
                 Room room_for);

  PackCache& packs_;
  Digest pack_;  // that was read last, and its index
  std::shared_ptr<const PackIndex> index_;
  std::vector<std::byte> scratch_;
};

}  // namespace mendel::storage
