#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "storage/base/digest.h"
#include "storage/pack_cache.h"
#include "storage/recipe.h"
#include "storage/record_reader.h"

namespace mendel::storage {

// Where a blob's bytes begin to be found.
struct BlobLocation {
  Digest digest;
  std::uint64_t size_bytes = 0;
  Digest pack;
  std::optional<Digest> recipe;  // its topmost recipe, in that pack; absent: one record
};

// The leaves of a blob's recipe, in order, with every entry's pack named (no entry says 0).
// A blob of one record has one leaf of one entry. Holds one recipe per level. Throws
// data_loss, also for a tree that is not what recipe.h says or not the blob's. For one
// thread.
class LeafReader {
 public:
  LeafReader(PackCache& packs, const BlobLocation& blob);

  // Begins with the leaf that has the byte at offset.
  LeafReader(PackCache& packs, const BlobLocation& blob, std::uint64_t offset);

  std::optional<Recipe> next();

  // Where in the blob the leaf begins that next() returned.
  std::uint64_t leaf_offset() const { return leaf_offset_; }

 private:
  struct Node {
    Recipe recipe;
    Digest pack;
    std::size_t next = 0;
  };

  void open_root(const BlobLocation& blob);
  Recipe read_child(const Node& parent, const Recipe::Entry& entry);

  RecordReader records_;
  const std::uint64_t start_;
  std::uint64_t position_ = 0;  // in the blob, of the entry that comes next
  std::uint64_t leaf_offset_ = 0;
  std::optional<Recipe> only_leaf_;
  std::vector<Node> path_;  // the open inner nodes, the topmost first
};

}  // namespace mendel::storage
