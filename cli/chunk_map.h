#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "storage/base/digest.h"

namespace mendel::cli {

// In which pack a chunk lies, for the chunks of a base and for those that were just sent.
//
// Holds kEntriesMax chunks (about 128 GiB of data) in 16 bytes each and forgets what comes
// after them, so its memory is bounded; forgetting costs a question to the server. Keeps 96
// bits of a digest: whoever is told a pack by it has the server look whether it is right.
class ChunkMap {
 public:
  static constexpr std::size_t kEntriesMax = 2u << 20;

  void add(const Digest& chunk, const Digest& pack);
  std::optional<Digest> find(const Digest& chunk) const;
  std::size_t size() const { return size_; }

 private:
  struct Slot {
    std::array<std::uint32_t, 3> key;
    std::uint32_t pack = 0;  // its position in packs_, plus one; zero: the slot is free
  };

  std::size_t slot_of(const std::array<std::uint32_t, 3>& key) const;
  void grow();
  std::uint32_t number_of(const Digest& pack);

  std::vector<Slot> slots_;  // a power of two, at most half full; linear probing
  std::size_t size_ = 0;
  std::vector<Digest> packs_;
  std::unordered_map<Digest, std::uint32_t> pack_numbers_;
};

}  // namespace mendel::cli
