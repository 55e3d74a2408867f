#include "storage/memory_object_store.h"

#include <algorithm>

#include "storage/base/error.h"
#include "storage/object_keys.h"

namespace mendel::storage {

class MemoryObjectStore::Writer : public ObjectWriter {
 public:
  explicit Writer(MemoryObjectStore& store) : store_(store) {}

  void append(std::span<const std::byte> data) override {
    bytes_.insert(bytes_.end(), data.begin(), data.end());
  }

  void commit(std::string_view key) override {
    check_object_key(key);
    auto bytes = std::make_shared<const std::vector<std::byte>>(std::move(bytes_));
    const std::lock_guard lock(store_.mutex_);
    store_.objects_.emplace(key, std::move(bytes));
  }

 private:
  MemoryObjectStore& store_;
  std::vector<std::byte> bytes_;
};

std::unique_ptr<ObjectWriter> MemoryObjectStore::create() {
  return std::make_unique<Writer>(*this);
}

MemoryObjectStore::Bytes MemoryObjectStore::find_bytes(std::string_view key) {
  const std::lock_guard lock(mutex_);
  const auto object = objects_.find(key);
  return object == objects_.end() ? nullptr : object->second;
}

std::size_t MemoryObjectStore::read(std::string_view key, std::uint64_t offset,
                                    std::span<std::byte> buffer) {
  const Bytes bytes = find_bytes(key);
  if (!bytes) throw Error(ErrorCode::not_found, "there is no object " + std::string(key));
  if (offset >= bytes->size()) return 0;
  const auto rest = std::span(*bytes).subspan(offset);
  const std::size_t count = std::min(rest.size(), buffer.size());
  std::ranges::copy(rest.first(count), buffer.begin());
  return count;
}

std::optional<ObjectInfo> MemoryObjectStore::find(std::string_view key) {
  const Bytes bytes = find_bytes(key);
  if (!bytes) return std::nullopt;
  return ObjectInfo{std::string(key), bytes->size()};
}

std::vector<ObjectInfo> MemoryObjectStore::list(std::string_view prefix,
                                                std::string_view start_after,
                                                std::size_t limit) {
  const std::lock_guard lock(mutex_);
  std::vector<ObjectInfo> found;
  auto object = prefix > start_after ? objects_.lower_bound(prefix)
                                     : objects_.upper_bound(start_after);
  for (; object != objects_.end() && found.size() < limit; ++object) {
    const auto& [key, bytes] = *object;
    if (!key.starts_with(prefix)) break;
    found.push_back({key, bytes->size()});
  }
  return found;
}

void MemoryObjectStore::remove(std::string_view key) {
  const std::lock_guard lock(mutex_);
  const auto object = objects_.find(key);
  if (object != objects_.end()) objects_.erase(object);
}

}  // namespace mendel::storage
