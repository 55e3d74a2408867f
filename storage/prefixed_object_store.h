#pragma once

#include <string>

#include "storage/object_store.h"

namespace mendel::storage {

// The objects of another store whose keys begin with a prefix, under what is left of their
// keys. Nothing outside the prefix can be reached through it. Any thread.
class PrefixedObjectStore : public ObjectStore {
 public:
  // prefix ends with '/'.
  PrefixedObjectStore(ObjectStore& objects, std::string prefix);

  std::unique_ptr<ObjectWriter> create() override;
  std::size_t read(std::string_view key, std::uint64_t offset,
                   std::span<std::byte> buffer) override;
  std::optional<ObjectInfo> find(std::string_view key) override;
  std::vector<ObjectInfo> list(std::string_view prefix, std::string_view start_after,
                               std::size_t limit) override;
  void remove(std::string_view key) override;

 private:
  class Writer;

  std::string full(std::string_view key) const { return prefix_ + std::string(key); }

  ObjectStore& objects_;
  const std::string prefix_;
};

}  // namespace mendel::storage
