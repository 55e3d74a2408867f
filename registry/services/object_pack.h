#pragma once

#include <memory>
#include <span>

#include "storage/base/io.h"
#include "storage/object_store.h"
#include "storage/pack.h"
#include "storage/pack_cache.h"

namespace mendel::registry {

// One pack on its way into the object store. Dropping it without commit() leaves nothing.
class ObjectPack : public Sink {
 public:
  explicit ObjectPack(storage::PackCache& packs);

  void write(std::span<const std::byte> data) override;

  // Makes the pack durable and remembers its index.
  std::shared_ptr<const storage::PackIndex> commit(storage::PackIndex index);

 private:
  storage::PackCache& packs_;
  std::unique_ptr<storage::ObjectWriter> object_;
};

}  // namespace mendel::registry
