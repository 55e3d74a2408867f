#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "storage/base/digest.h"
#include "storage/object_store.h"
#include "storage/pack.h"
#include "storage/pack_cache.h"

namespace mendel::storage {

// What a pack holds that rows must name, once the pack itself is durable.
struct IngestedPack {
  std::shared_ptr<const PackIndex> index;
  std::vector<StoredBlob> blobs;  // their SHA-256 verified against their bytes
  std::vector<Digest> manifests;
};

// Which packs a recipe may point into: those of the caller's namespace. Knowing a pack's
// name or a chunk's digest gives nobody its bytes.
class PackScope {
 public:
  virtual ~PackScope() = default;
  virtual bool may_refer_to(const Digest& pack_name) = 0;
};

// Receives packs that a client sends, in pieces of any size: verifies every record while it
// streams, writes the pack through to the object store, commits it there, and then reports
// it. Blobs are hashed as their chunks pass; what can't be hashed in passing (a recipe that
// names earlier chunks of the same pack) is read back once after the commit.
//
// A damaged or lying stream throws unprocessable with what and where, and leaves nothing of
// the pack in which it happened; the packs before it stay. For one thread.
class PackIngest {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void pack_stored(IngestedPack pack) = 0;
  };

  PackIngest(PackCache& packs, PackScope& scope, Listener& listener);
  ~PackIngest();

  void append(std::span<const std::byte> data);
  void finish();  // throws unprocessable if the stream ends inside a pack

 private:
  // … left to the implementation
};

}  // namespace mendel::storage
