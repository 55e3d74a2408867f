#include "cli/chunk_map.h"

#include <cstring>

namespace mendel::cli {

namespace {

constexpr std::size_t kSlotsMin = 1024;

std::array<std::uint32_t, 3> key_of(const Digest& digest) {
  std::array<std::uint32_t, 3> key;
  std::memcpy(key.data(), digest.bytes().data(), sizeof key);
  return key;
}

}  // namespace

void ChunkMap::add(const Digest& chunk, const Digest& pack) {
  if (size_ == kEntriesMax) return;
  if (2 * (size_ + 1) > slots_.size()) grow();
  Slot& slot = slots_[slot_of(key_of(chunk))];
  if (slot.pack) return;
  slot = {key_of(chunk), number_of(pack)};
  ++size_;
}

std::optional<Digest> ChunkMap::find(const Digest& chunk) const {
  if (slots_.empty()) return std::nullopt;
  const Slot& slot = slots_[slot_of(key_of(chunk))];
  if (!slot.pack) return std::nullopt;
  return packs_[slot.pack - 1];
}

// Where the key is, or would be. Digests are uniform: their first bits are their hash.
std::size_t ChunkMap::slot_of(const std::array<std::uint32_t, 3>& key) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t position = key[0] & mask;
  while (slots_[position].pack && slots_[position].key != key)
    position = (position + 1) & mask;
  return position;
}

void ChunkMap::grow() {
  std::vector<Slot> before(slots_.empty() ? kSlotsMin : 2 * slots_.size());
  before.swap(slots_);
  for (const Slot& slot : before) {
    if (slot.pack) slots_[slot_of(slot.key)] = slot;
  }
}

std::uint32_t ChunkMap::number_of(const Digest& pack) {
  const auto [known, is_new] =
      pack_numbers_.try_emplace(pack, std::uint32_t(packs_.size() + 1));
  if (is_new) packs_.push_back(pack);
  return known->second;
}

}  // namespace mendel::cli
