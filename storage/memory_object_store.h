#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "storage/object_store.h"

namespace mendel::storage {

// Objects that last as long as this store: for tests, and for trying things out.
class MemoryObjectStore : public ObjectStore {
 public:
  std::unique_ptr<ObjectWriter> create() override;
  std::size_t read(std::string_view key, std::uint64_t offset,
                   std::span<std::byte> buffer) override;
  std::optional<ObjectInfo> find(std::string_view key) override;
  std::vector<ObjectInfo> list(std::string_view prefix, std::string_view start_after,
                               std::size_t limit) override;
  void remove(std::string_view key) override;

 private:
  class Writer;
  using Bytes = std::shared_ptr<const std::vector<std::byte>>;

  Bytes find_bytes(std::string_view key);

  std::mutex mutex_;
  std::map<std::string, Bytes, std::less<>> objects_;
};

}  // namespace mendel::storage
