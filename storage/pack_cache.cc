#include "storage/pack_cache.h"

#include <utility>

#include "storage/base/error.h"

namespace mendel::storage {

PackCache::PackCache(ObjectStore& objects, std::size_t memory_bytes_max)
    : objects_(objects), indexes_(std::make_shared<Indexes>(memory_bytes_max)) {}

PackCache::PackCache(ObjectStore& objects, const PackCache& memory)
    : objects_(objects), indexes_(memory.indexes_) {}

std::shared_ptr<const PackIndex> PackCache::index(const Digest& pack_name) {
  if (auto known = indexes_->find(pack_name)) return known;
  auto index = std::make_shared<const PackIndex>(read_pack_index(objects_, pack_name));
  indexes_->put(pack_name, index, index->memory_bytes());
  return index;
}

std::vector<std::byte> PackCache::read(const Digest& pack_name, RecordType type,
                                       const Digest& digest) {
  const auto pack = index(pack_name);
  const RecordLocation* location = pack->find(type, digest);
  if (location == nullptr) {
    throw Error(ErrorCode::not_found,
                "pack " + pack_name.hex() + " has no record " + digest.to_string());
  }
  std::vector<std::byte> raw(location->header.raw_size_bytes);
  std::vector<std::byte> scratch;
  read_record(objects_, pack_name, *location, scratch, raw);
  return raw;
}

void PackCache::remember(PackIndex index) {
  auto shared = std::make_shared<const PackIndex>(std::move(index));
  indexes_->put(shared->name(), shared, shared->memory_bytes());
}

}  // namespace mendel::storage
