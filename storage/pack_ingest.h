#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "storage/base/digest.h"
#include "storage/blob_verifier.h"
#include "storage/pack.h"
#include "storage/pack_cache.h"

namespace mendel::storage {

// What a pack holds that rows must name, once the pack itself is durable.
struct IngestedPack {
  std::shared_ptr<const PackIndex> index;
  std::vector<StoredBlob> blobs;  // their SHA-256 verified against their bytes
  std::vector<Digest> manifests;  // each one decodes
};

// Receives packs that a client sends, in pieces of any size: verifies every record while it
// streams, writes the pack through to the object store, commits it there, and then reports
// it. Blobs are hashed as their chunks pass; what can't be hashed in passing (a recipe that
// names earlier chunks of the same pack) is read back once after the commit.
//
// A damaged or lying stream throws unprocessable with what and where. The pack in which it
// happened is not reported, and the packs before it stay. (If only reading back showed the
// lie, its object stays too, named by nothing: it may have been there before, so it is left
// to the sweep.) For one thread.
class PackIngest {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;

    // Packs that follow in the stream may point into this one: the scope must know it from
    // here on.
    virtual void pack_stored(IngestedPack pack) = 0;
  };

  PackIngest(PackCache& packs, PackScope& scope, Listener& listener);
  ~PackIngest();

  void append(std::span<const std::byte> data);
  void finish();  // throws unprocessable if the stream ends inside a pack

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mendel::storage
