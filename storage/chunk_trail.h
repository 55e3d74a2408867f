#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "storage/base/digest.h"

namespace mendel::storage {

// How an older blob is cut, from its first chunk on, for a blob that is probably much like
// it. Equal bytes are cut alike, so where the new blob runs beside the older one its next
// chunk is foreseen: comparing one digest takes the place of the search for a boundary.
//
// About 70 bytes for each chunk. Immutable once it is made, so any thread.
class ChunkTrail {
 public:
  struct Chunk {
    Digest digest;
    std::uint32_t size_bytes;
  };

  void add(const Chunk& chunk);
  const std::vector<Chunk>& chunks() const { return chunks_; }

  // The place of the chunk that may come at the beginning, and after one that is known by
  // its digest; kNowhere if there is none.
  static constexpr std::size_t kNowhere = ~std::size_t{0};
  std::size_t begin() const { return foreseeable(0); }
  std::size_t after(const Digest& chunk, std::size_t expected_place) const;

 private:
  std::size_t foreseeable(std::size_t place) const;

  std::vector<Chunk> chunks_;
  std::unordered_map<Digest, std::uint32_t> places_;  // where a chunk comes first
};

}  // namespace mendel::storage
