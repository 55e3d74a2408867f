#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "storage/base/digest.h"

namespace mendel::storage {

// How a blob of more than one chunk is put together: a tree whose leaves (height 0) list
// chunks and whose inner nodes list recipes one level lower, so that neither a reader nor a
// writer ever holds more than one node per level.
//
// An entry says in which pack its record lies. Pack 0 is the pack that holds the recipe
// itself; n > 0 is packs[n - 1]. A recipe precedes, in its pack, the new chunks that it
// lists as pack 0, so that a receiver knows which blob they continue; an inner node follows
// the recipes that it lists.
struct Recipe {
  struct Entry {
    Digest digest;
    std::uint64_t size_bytes = 0;  // raw size of the chunk, or of all below the recipe
    std::uint16_t pack = 0;

    friend bool operator==(const Entry&, const Entry&) = default;
  };

  std::uint8_t height = 0;
  std::optional<Digest> blob;  // the SHA-256 of the whole blob: in its topmost node, only
  std::vector<Digest> packs;   // each once, each used, in the order of their first use
  std::vector<Entry> entries;

  std::uint64_t size_bytes() const;

  // The number that an entry in this pack has: packs is extended where it is new there.
  std::uint16_t number_of(const Digest& pack);

  friend bool operator==(const Recipe&, const Recipe&) = default;
};

// A leaf is closed at kLeafSizeTarget raw bytes or kRecipeEntriesMax entries, an inner node
// at kRecipeEntriesMax entries. Part of format version 1.
inline constexpr std::uint64_t kLeafSizeTarget = 4ull << 20;
inline constexpr std::size_t kRecipeEntriesMax = 512;
inline constexpr std::uint8_t kRecipeHeightMax = 4;
inline constexpr std::uint64_t kBlobSizeMax = 1ull << 53;  // what JSON carries exactly

std::vector<std::byte> encode_recipe(const Recipe& recipe);

// Throws data_loss with the rule that is broken: counts, pack numbers, sizes that overflow,
// chunks below the minimum that do not end a leaf, bytes left over. What it accepts,
// encode_recipe() writes in the same bytes.
Recipe decode_recipe(std::span<const std::byte> bytes);

}  // namespace mendel::storage
