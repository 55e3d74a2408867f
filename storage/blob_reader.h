#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "storage/base/digest.h"
#include "storage/base/io.h"
#include "storage/pack_cache.h"
#include "storage/recipe.h"

namespace mendel::storage {

// Where a blob's bytes begin to be found.
struct BlobLocation {
  Digest digest;
  std::uint64_t size_bytes = 0;
  Digest pack;
  std::optional<Digest> recipe;  // its topmost recipe, in that pack; absent: one record
};

// Reads the bytes [offset, offset + length) of a blob, in order. Holds one chunk and one
// recipe per level. Every chunk's checksum is checked before any byte of it is handed out;
// throws data_loss. For one thread.
class BlobReader : public Source {
 public:
  BlobReader(PackCache& packs, const BlobLocation& blob, std::uint64_t offset,
             std::uint64_t length);
  ~BlobReader() override;

  std::size_t read(std::span<std::byte> buffer) override;

 private:
  // … left to the implementation
};

// The leaves of a blob's recipe, in order, with every entry's pack named (no entry says 0).
// A blob of one record has one leaf of one entry. Throws data_loss. For one thread.
class LeafReader {
 public:
  LeafReader(PackCache& packs, const BlobLocation& blob);
  ~LeafReader();

  std::optional<Recipe> next();

 private:
  // … left to the implementation
};

// Reads the whole blob and compares chunk digests and the blob's own. Throws data_loss.
void verify_blob(PackCache& packs, const BlobLocation& blob);

}  // namespace mendel::storage
