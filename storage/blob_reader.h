#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "storage/base/io.h"
#include "storage/leaf_reader.h"
#include "storage/pack_cache.h"
#include "storage/record_reader.h"

namespace mendel::storage {

// Reads the bytes [offset, offset + length) of a blob, in order. Holds one chunk and one
// recipe per level; a chunk that the caller's buffer has room for is read right into it.
// Every chunk's checksum is checked before any byte of it is handed out; throws data_loss,
// and out_of_range for bytes that the blob does not have. For one thread.
class BlobReader : public Source {
 public:
  BlobReader(PackCache& packs, const BlobLocation& blob, std::uint64_t offset,
             std::uint64_t length);

  std::size_t read(std::span<std::byte> buffer) override;

 private:
  const Recipe::Entry& entry() const { return leaf_.entries[entry_]; }
  void open_leaf_at(std::uint64_t offset);
  std::size_t read_from_entry(std::span<std::byte> buffer);
  void read_chunk(std::span<std::byte> raw);

  LeafReader leaves_;
  RecordReader records_;
  std::uint64_t position_;  // in the blob
  std::uint64_t left_;
  Recipe leaf_;
  std::size_t entry_ = 0;
  std::size_t entry_offset_ = 0;
  std::vector<std::byte> chunk_;  // the bytes of entry(), if they did not fit the buffer
};

// Reads the whole blob and compares the digests of its chunks and its own, as well as the
// rule that only its last chunk may be below the minimum. Throws data_loss.
void verify_blob(PackCache& packs, const BlobLocation& blob);

}  // namespace mendel::storage
