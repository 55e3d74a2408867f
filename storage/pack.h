#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "storage/base/digest.h"
#include "storage/base/error.h"
#include "storage/base/io.h"
#include "storage/base/sha256.h"
#include "storage/codec.h"
#include "storage/object_store.h"

namespace mendel::storage {

// What a record holds. The numbers are part of the pack format.
enum class RecordType : std::uint8_t {
  chunk = 1,     // a piece of a blob
  blob = 2,      // a chunk that is a whole blob by itself
  recipe = 3,    // the pieces of a larger blob, see recipe.h
  manifest = 4,  // the canonical JSON of a version's manifest
};

// What a pack says of one record, before its bytes and again in its index.
struct RecordHeader {
  RecordType type;
  Codec codec;
  std::uint32_t checksum;  // CRC-32C of the stored bytes: finds bit rot on every read
  std::uint32_t raw_size_bytes;
  std::uint32_t stored_size_bytes;
  Digest digest;  // SHA-256 of the raw bytes

  friend bool operator==(const RecordHeader&, const RecordHeader&) = default;
};

struct RecordLocation {
  RecordHeader header;
  std::uint64_t offset;  // of the stored bytes, from the pack's first byte
};

// A blob whose topmost record a pack holds.
struct StoredBlob {
  Digest digest;
  std::uint64_t size_bytes = 0;
  std::optional<Digest>
      recipe;  // its topmost recipe; absent: the pack has it as one record

  friend bool operator==(const StoredBlob&, const StoredBlob&) = default;
};

// A pack is closed at the first record that takes it over the target. What one record may
// hold is limited by type, so that nobody can make a reader allocate much.
inline constexpr std::uint64_t kPackSizeTarget = 64ull << 20;
inline constexpr std::uint64_t kPackSizeMax = 256ull << 20;
inline constexpr std::size_t kPackRecordsMax = 65536;
inline constexpr std::uint32_t kRecipeSizeMax = 1u << 20;
inline constexpr std::uint32_t kManifestSizeMax = 64u << 20;
std::uint32_t raw_size_max(RecordType type);

// The table of contents of one pack; immutable, so any thread.
class PackIndex {
 public:
  PackIndex(const Digest& name, std::uint64_t pack_size_bytes,
            std::vector<RecordHeader> headers_in_order);

  const Digest& name() const { return name_; }
  std::uint64_t pack_size_bytes() const { return pack_size_bytes_; }

  // In the order in which the records lie in the pack.
  std::span<const RecordLocation> records() const { return records_; }

  // A chunk may be asked for as chunk or as blob and is found under both: they are the same
  // bytes. nullptr if absent.
  const RecordLocation* find(RecordType type, const Digest& digest) const;

  std::size_t memory_bytes() const;

 private:
  Digest name_;
  std::uint64_t pack_size_bytes_;
  std::vector<RecordLocation> records_;
  std::vector<std::uint32_t> by_digest_;  // positions in records_, sorted by digest
};

// Writes one pack into a sink. For one thread.
class PackWriter {
 public:
  explicit PackWriter(Sink& sink);

  // Compresses and appends one record. A digest that this pack already has under the same
  // type is skipped. Throws too_large.
  void add(RecordType type, const Digest& digest, std::span<const std::byte> raw);

  // Appends a record of another pack, as it is stored there.
  void add_stored(const RecordHeader& header, std::span<const std::byte> stored);

  bool contains(RecordType type, const Digest& digest) const;
  std::uint64_t size_bytes() const { return size_bytes_; }  // as if finished now
  std::size_t record_count() const { return headers_.size(); }

  // Writes the index and the trailer; the pack's name is the digest of the index.
  // There must be at least one record; the writer is of no use afterwards.
  PackIndex finish();

 private:
  Sink& sink_;
  Compressor compressor_;
  std::uint64_t size_bytes_;
  std::vector<RecordHeader> headers_;
  std::unordered_map<Digest, unsigned> types_by_digest_;  // a bit per RecordType
};

// Takes one or more packs that follow each other in a stream, in pieces of any size, and
// hands out each record once it has been verified: its checksum, its codec, its digest.
// Holds one record in memory. For one thread. Throws Error{on_damage} with what is wrong
// and where; after that the stream is worthless.
class PackParser {
 public:
  class Visitor {
   public:
    virtual ~Visitor() = default;

    // The bytes of the pack, as they came: what is to be stored. Called for every byte, and
    // before the visit of the record that these bytes complete.
    virtual void pack_bytes(std::span<const std::byte> bytes) = 0;

    // Another message that the record's bytes belong to, or nullptr. It takes them in while
    // the record's own digest is computed, before record() is called for it.
    virtual Sha256* message_around(const RecordHeader&) { return nullptr; }

    // raw is valid during the call.
    virtual void record(const RecordHeader& header, std::span<const std::byte> raw) = 0;

    // The pack ended well: index and trailer agree with the records.
    virtual void pack_end(PackIndex index) = 0;
  };

  PackParser(Visitor& visitor, ErrorCode on_damage);
  ~PackParser();

  void append(std::span<const std::byte> data);

  // The stream ended: throws if that is in the middle of a pack.
  void finish();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// Reads the index of the pack from the end of its object. Throws not_found, data_loss.
PackIndex read_pack_index(ObjectStore& objects, const Digest& pack_name);

// Reads one record, checks its checksum and fills raw, whose size is raw_size_bytes.
// Throws data_loss. scratch is reused between calls.
void read_record(ObjectStore& objects, const Digest& pack_name,
                 const RecordLocation& location, std::vector<std::byte>& scratch,
                 std::span<std::byte> raw);

}  // namespace mendel::storage
