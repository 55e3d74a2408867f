#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>

#include "registry/services/caller.h"
#include "storage/object_store.h"
#include "storage/pack_cache.h"

namespace mendel::registry {

// The packs of each namespace: one folder of the object store each, and one memory for the
// indexes of all. Any thread.
class NamespacePacks {
 public:
  NamespacePacks(storage::ObjectStore& objects, std::size_t index_memory_bytes_max);
  ~NamespacePacks();

  // Valid as long as this.
  storage::PackCache& of(NamespaceId ns);

 private:
  struct Folder;

  storage::ObjectStore& objects_;
  const storage::PackCache memory_;
  std::mutex mutex_;
  std::map<NamespaceId, std::unique_ptr<Folder>> folders_;
};

}  // namespace mendel::registry
