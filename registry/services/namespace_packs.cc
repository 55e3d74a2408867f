#include "registry/services/namespace_packs.h"

#include "storage/object_keys.h"
#include "storage/prefixed_object_store.h"

namespace mendel::registry {

struct NamespacePacks::Folder {
  Folder(storage::ObjectStore& all, NamespaceId ns, const storage::PackCache& memory)
      : objects(all, storage::namespace_prefix(ns)), packs(objects, memory) {}

  storage::PrefixedObjectStore objects;
  storage::PackCache packs;
};

NamespacePacks::NamespacePacks(storage::ObjectStore& objects,
                               std::size_t index_memory_bytes_max)
    : objects_(objects), memory_(objects, index_memory_bytes_max) {}
NamespacePacks::~NamespacePacks() = default;

storage::PackCache& NamespacePacks::of(NamespaceId ns) {
  const std::lock_guard lock(mutex_);
  auto& folder = folders_[ns];
  if (!folder) folder = std::make_unique<Folder>(objects_, ns, memory_);
  return folder->packs;
}

}  // namespace mendel::registry
