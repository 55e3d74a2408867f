#include "storage/prefixed_object_store.h"

#include <utility>

#include "storage/object_keys.h"

namespace mendel::storage {

class PrefixedObjectStore::Writer : public ObjectWriter {
 public:
  Writer(std::unique_ptr<ObjectWriter> writer, std::string prefix)
      : writer_(std::move(writer)), prefix_(std::move(prefix)) {}

  void append(std::span<const std::byte> data) override { writer_->append(data); }

  void commit(std::string_view key) override {
    check_object_key(key);
    writer_->commit(prefix_ + std::string(key));
  }

 private:
  std::unique_ptr<ObjectWriter> writer_;
  std::string prefix_;
};

PrefixedObjectStore::PrefixedObjectStore(ObjectStore& objects, std::string prefix)
    : objects_(objects), prefix_(std::move(prefix)) {}

std::unique_ptr<ObjectWriter> PrefixedObjectStore::create() {
  return std::make_unique<Writer>(objects_.create(), prefix_);
}

std::size_t PrefixedObjectStore::read(std::string_view key, std::uint64_t offset,
                                      std::span<std::byte> buffer) {
  check_object_key(key);
  return objects_.read(full(key), offset, buffer);
}

std::optional<ObjectInfo> PrefixedObjectStore::find(std::string_view key) {
  check_object_key(key);
  auto info = objects_.find(full(key));
  if (info) info->key.erase(0, prefix_.size());
  return info;
}

std::vector<ObjectInfo> PrefixedObjectStore::list(std::string_view prefix,
                                                  std::string_view start_after,
                                                  std::size_t limit) {
  auto found =
      objects_.list(full(prefix), start_after.empty() ? "" : full(start_after), limit);
  for (ObjectInfo& info : found) info.key.erase(0, prefix_.size());
  return found;
}

void PrefixedObjectStore::remove(std::string_view key) {
  check_object_key(key);
  objects_.remove(full(key));
}

}  // namespace mendel::storage
