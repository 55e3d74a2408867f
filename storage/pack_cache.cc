#include "storage/pack_cache.h"

#include <list>
#include <mutex>
#include <unordered_map>

#include "storage/base/error.h"

namespace mendel::storage {

// The least recently used index is the last of the list.
class PackCache::Indexes {
 public:
  explicit Indexes(std::size_t memory_bytes_max) : memory_bytes_max_(memory_bytes_max) {}

  std::shared_ptr<const PackIndex> find(const Digest& pack_name) {
    const std::lock_guard lock(mutex_);
    const auto known = by_name_.find(pack_name);
    if (known == by_name_.end()) return nullptr;
    by_use_.splice(by_use_.begin(), by_use_, known->second);
    return by_use_.front();
  }

  void insert(std::shared_ptr<const PackIndex> index) {
    const std::lock_guard lock(mutex_);
    if (by_name_.contains(index->name())) return;
    memory_bytes_ += index->memory_bytes();
    by_use_.push_front(std::move(index));
    by_name_.emplace(by_use_.front()->name(), by_use_.begin());
    while (memory_bytes_ > memory_bytes_max_ && !by_use_.empty())
      drop_least_recently_used();
  }

 private:
  using ByUse = std::list<std::shared_ptr<const PackIndex>>;

  void drop_least_recently_used() {
    memory_bytes_ -= by_use_.back()->memory_bytes();
    by_name_.erase(by_use_.back()->name());
    by_use_.pop_back();
  }

  const std::size_t memory_bytes_max_;
  std::mutex mutex_;
  std::size_t memory_bytes_ = 0;
  ByUse by_use_;
  std::unordered_map<Digest, ByUse::iterator> by_name_;
};

PackCache::PackCache(ObjectStore& objects, std::size_t memory_bytes_max)
    : objects_(objects), indexes_(std::make_shared<Indexes>(memory_bytes_max)) {}
PackCache::PackCache(ObjectStore& objects, const PackCache& memory)
    : objects_(objects), indexes_(memory.indexes_) {}
PackCache::~PackCache() = default;

std::shared_ptr<const PackIndex> PackCache::index(const Digest& pack_name) {
  if (auto known = indexes_->find(pack_name)) return known;
  auto index = std::make_shared<const PackIndex>(read_pack_index(objects_, pack_name));
  indexes_->insert(index);
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
  indexes_->insert(std::make_shared<const PackIndex>(std::move(index)));
}

}  // namespace mendel::storage
