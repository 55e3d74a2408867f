#include "registry/services/object_pack.h"

#include <utility>

#include "storage/object_keys.h"

namespace mendel::registry {

ObjectPack::ObjectPack(storage::PackCache& packs)
    : packs_(packs), object_(packs.objects().create()) {}

void ObjectPack::write(std::span<const std::byte> data) { object_->append(data); }

std::shared_ptr<const storage::PackIndex> ObjectPack::commit(storage::PackIndex index) {
  const Digest name = index.name();
  object_->commit(storage::pack_key(name));
  packs_.remember(std::move(index));
  return packs_.index(name);
}

}  // namespace mendel::registry
