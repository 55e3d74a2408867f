#include "storage/chunk_trail.h"

namespace mendel::storage {

void ChunkTrail::add(const Chunk& chunk) {
  places_.try_emplace(chunk.digest, static_cast<std::uint32_t>(chunks_.size()));
  chunks_.push_back(chunk);
}

std::size_t ChunkTrail::after(const Digest& chunk, std::size_t expected_place) const {
  if (expected_place < chunks_.size() && chunks_[expected_place].digest == chunk) {
    return foreseeable(expected_place + 1);
  }
  const auto found = places_.find(chunk);
  return found == places_.end() ? kNowhere : foreseeable(found->second + 1);
}

// The last chunk ends where its blob does, which is no boundary by content.
std::size_t ChunkTrail::foreseeable(std::size_t place) const {
  return place + 1 < chunks_.size() ? place : kNowhere;
}

}  // namespace mendel::storage
