#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mendel::storage {

struct ObjectInfo {
  std::string key;
  std::uint64_t size_bytes = 0;

  friend bool operator==(const ObjectInfo&, const ObjectInfo&) = default;
};

// One object on its way into a store. For one thread at a time. Dropping it without
// commit() leaves nothing that a reader can see.
class ObjectWriter {
 public:
  virtual ~ObjectWriter() = default;
  virtual void append(std::span<const std::byte> data) = 0;

  // Makes the object durable and then visible under key. The key may be learned from the
  // bytes, so it is named last. An object that is there already stays as it is.
  virtual void commit(std::string_view key) = 0;
};

// Named, immutable byte strings on some medium: a local disk, S3, memory.
//
// An object is whole or absent: commit() makes it visible only after its last byte is
// durable, so a crash or an abandoned writer leaves nothing a reader can see. Keys are
// relative, '/'-separated (object_keys.h has them all) and never reused for other bytes.
//
// Readers and writers are driven by the caller, a buffer at a time, so that a slow peer
// never holds a thread inside a store. All methods may be called from several threads.
// A medium that fails, now or for good, throws Error{unavailable}; a full one throws
// out_of_space.
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  virtual std::unique_ptr<ObjectWriter> create() = 0;

  // Fills buffer from offset on and returns how many bytes there were; fewer than
  // buffer.size() only at the end. Throws not_found.
  virtual std::size_t read(std::string_view key, std::uint64_t offset,
                           std::span<std::byte> buffer) = 0;

  virtual std::optional<ObjectInfo> find(std::string_view key) = 0;

  // Up to limit objects whose keys begin with prefix and sort after start_after, in
  // byte order of their keys.
  virtual std::vector<ObjectInfo> list(std::string_view prefix,
                                       std::string_view start_after, std::size_t limit) = 0;

  // Removing an absent object succeeds.
  virtual void remove(std::string_view key) = 0;
};

}  // namespace mendel::storage
