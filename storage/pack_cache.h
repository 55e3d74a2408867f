#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "storage/base/digest.h"
#include "storage/base/lru_cache.h"
#include "storage/object_store.h"
#include "storage/pack.h"

namespace mendel::storage {

// The packs of one object store, with their indexes kept in memory, the least recently
// used dropped beyond memory_bytes_max. Any thread.
//
// A pack may be rewritten while it is being read: its records are then found in its
// successor. Whoever reads at an index's offsets reads from the pack that the index names,
// and asks follow() when that is not there.
class PackCache {
 public:
  PackCache(ObjectStore& objects, std::size_t memory_bytes_max);

  // The packs of another store, with the memory of the first: a pack's name is the digest
  // of its index, so two stores never mean different indexes by one name. index() may
  // therefore answer for a pack that only the other store has.
  PackCache(ObjectStore& objects, const PackCache& memory);

  // That of the pack, or of the one that has its records now. Throws not_found.
  std::shared_ptr<const PackIndex> index(const Digest& pack_name);

  // The pack that index() answered with is missing. Whether index() now answers with
  // another one.
  bool follow(const Digest& pack_name, const Digest& missing);

  // A record was not found in a pack's successor. Whether index() now answers with the pack
  // itself, since it came again.
  bool unfollow(const Digest& pack_name);

  // Throws not_found if the pack has no such record; data_loss if it is damaged.
  std::vector<std::byte> read(const Digest& pack_name, RecordType type,
                              const Digest& digest);

  // The pack was just written: its index need not be read back.
  void remember(PackIndex index);

  ObjectStore& objects() { return objects_; }

 private:
  static constexpr std::size_t kSuccessorsMax = 4096;

  Digest current(const Digest& pack_name);

  ObjectStore& objects_;
  LruCache<Digest, const Digest> successors_{kSuccessorsMax};  // that were followed
  using Indexes = LruCache<Digest, const PackIndex>;
  const std::shared_ptr<Indexes> indexes_;
};

}  // namespace mendel::storage
