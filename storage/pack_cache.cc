#include "storage/pack_cache.h"

#include <utility>

#include "storage/base/error.h"
#include "storage/object_keys.h"
#include "storage/pack_rewrite.h"

namespace mendel::storage {

PackCache::PackCache(ObjectStore& objects, std::size_t memory_bytes_max)
    : objects_(objects), indexes_(std::make_shared<Indexes>(memory_bytes_max)) {}

PackCache::PackCache(ObjectStore& objects, const PackCache& memory)
    : objects_(objects), indexes_(memory.indexes_) {}

std::shared_ptr<const PackIndex> PackCache::index(const Digest& pack_name) {
  for (;;) {
    const Digest name = current(pack_name);
    if (auto known = indexes_->find(name)) return known;
    try {
      auto index = std::make_shared<const PackIndex>(read_pack_index(objects_, name));
      indexes_->put(name, index, index->memory_bytes());
      return index;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::not_found || !follow(pack_name, name)) throw;
    }
  }
}

// A successor is smaller than what it succeeds, so this ends.
Digest PackCache::current(const Digest& pack_name) {
  Digest name = pack_name;
  while (const auto successor = successors_.find(name)) name = *successor;
  return name;
}

bool PackCache::follow(const Digest& pack_name, const Digest& missing) {
  if (current(pack_name) != missing) return true;  // another reader has been here
  if (objects_.find(pack_key(missing))) return false;
  const auto successor = find_successor(objects_, missing);
  if (!successor) return false;
  successors_.put(missing, std::make_shared<const Digest>(*successor), 1);
  return true;
}

bool PackCache::unfollow(const Digest& pack_name) {
  if (current(pack_name) == pack_name || !objects_.find(pack_key(pack_name))) return false;
  successors_.erase(pack_name);
  return true;
}

std::vector<std::byte> PackCache::read(const Digest& pack_name, RecordType type,
                                       const Digest& digest) {
  std::vector<std::byte> raw;
  std::vector<std::byte> scratch;
  for (;;) {
    const auto pack = index(pack_name);
    const RecordLocation* location = pack->find(type, digest);
    if (location == nullptr) {
      if (unfollow(pack_name)) continue;
      throw Error(ErrorCode::not_found,
                  "pack " + pack_name.hex() + " has no record " + digest.to_string());
    }
    try {
      raw.resize(location->header.raw_size_bytes);
      read_record(objects_, pack->name(), *location, scratch, raw);
      return raw;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::not_found || !follow(pack_name, pack->name())) throw;
    }
  }
}

void PackCache::remember(PackIndex index) {
  auto shared = std::make_shared<const PackIndex>(std::move(index));
  indexes_->put(shared->name(), shared, shared->memory_bytes());
}

}  // namespace mendel::storage
