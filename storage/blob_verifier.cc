#include "storage/blob_verifier.h"

#include <algorithm>
#include <utility>

#include "storage/base/error.h"
#include "storage/blob_reader.h"
#include "storage/chunker.h"

// A leaf opens, and its entries are passed one by one: chunks that are stored already at
// once, new ones as their records come. A finished node waits in nodes_ until an inner node
// lists it; a topmost node that lists all that wait ends the blob.

namespace mendel::storage {

namespace {

// One chunk repeated over and over (zeros, mostly) is common enough to keep some at hand.
constexpr std::size_t kKeptBytesMax = 4 << 20;

// More than a writer that follows recipe.h ever leaves open.
constexpr std::size_t kNodesMax = (kRecipeHeightMax + 1) * kRecipeEntriesMax;

[[noreturn]] void refuse(const std::string& problem) {
  throw Error(ErrorCode::unprocessable, problem);
}

[[noreturn]] void refuse(const Digest& recipe, const std::string& problem) {
  refuse("recipe " + recipe.to_string() + " " + problem);
}

// What is damage in a pack of ours is a lie in one that just came.
template <typename Action>
auto with_damage_refused(const std::string& what, Action action) {
  try {
    return action();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::data_loss) throw;
    fail(ErrorCode::unprocessable, what, error);
  }
}

}  // namespace

BlobVerifier::BlobVerifier(PackCache& packs, PackScope& scope)
    : packs_(packs), scope_(scope), records_(packs) {}

Sha256* BlobVerifier::blob_around(const Digest& chunk) {
  return in_order_ && awaits(chunk) ? &sha256_ : nullptr;
}

void BlobVerifier::add_chunk(const Digest& digest, std::span<const std::byte> raw) {
  if (!awaits(digest)) {
    refuse("chunk " + digest.to_string() + " is not the one that a recipe lists next");
  }
  const Recipe::Entry& entry = leaf_->recipe.entries[leaf_->next];
  if (entry.size_bytes != raw.size()) {
    refuse(leaf_->digest,
           "lists chunk " + digest.to_string() + " with a size it does not have");
  }
  chunk_sizes_.emplace(digest, raw.size());
  if (repeated_.contains(digest) && kept_bytes_ + raw.size() <= kKeptBytesMax) {
    kept_.emplace(digest, std::vector(raw.begin(), raw.end()));
    kept_bytes_ += raw.size();
  }
  ++leaf_->next;
  pass_chunks_at_hand();
}

void BlobVerifier::add_blob(const Digest& digest, std::span<const std::byte> raw) {
  require_no_open_leaf();
  if (!small_blobs_.insert(digest).second)
    refuse("blob " + digest.to_string() + " comes twice");
  chunk_sizes_.emplace(digest, raw.size());
  verified_.push_back({digest, raw.size(), std::nullopt});
}

void BlobVerifier::add_recipe(const Digest& digest, std::span<const std::byte> raw) {
  require_no_open_leaf();
  Recipe recipe = with_damage_refused("record " + digest.to_string(),
                                      [&] { return decode_recipe(raw); });
  check_packs(recipe, digest);
  const bool is_new =
      recipes_
          .emplace(digest, Node{digest, recipe.size_bytes(), recipe.height, std::nullopt})
          .second;
  if (!is_new) refuse(digest, "comes twice");
  if (recipe.height == 0) {
    open_leaf(std::move(recipe), digest);
  } else {
    add_inner_node(recipe, digest);
  }
}

void BlobVerifier::require_no_open_leaf() const {
  if (!leaf_) return;
  refuse(leaf_->digest, "lists chunk " +
                            leaf_->recipe.entries[leaf_->next].digest.to_string() +
                            " of this pack, which does not come");
}

std::vector<Digest> BlobVerifier::completed() const {
  std::vector<Digest> blobs;
  for (const auto* list : {&verified_, &deferred_}) {
    for (const StoredBlob& blob : *list) blobs.push_back(blob.digest);
  }
  return blobs;
}

std::vector<StoredBlob> BlobVerifier::end_pack(const Digest& pack_name) {
  require_no_open_leaf();
  for (Node& node : nodes_) {
    if (!node.pack) node.pack = pack_name;
  }
  chunk_sizes_.clear();
  small_blobs_.clear();
  recipes_.clear();
  repeated_.clear();
  kept_.clear();
  kept_bytes_ = 0;

  for (const StoredBlob& blob : deferred_) {
    with_damage_refused("blob " + blob.digest.to_string(), [&] {
      verify_blob(packs_, {blob.digest, blob.size_bytes, pack_name, blob.recipe});
    });
    verified_.push_back(blob);
  }
  deferred_.clear();
  return std::exchange(verified_, {});
}

bool BlobVerifier::awaits(const Digest& chunk) const {
  return leaf_ && leaf_->recipe.entries[leaf_->next].digest == chunk;
}

void BlobVerifier::check_packs(const Recipe& recipe, const Digest& digest) {
  for (const Digest& pack : recipe.packs) {
    // The same answer whether the pack is another's or nobody's.
    if (!scope_.may_refer_to(pack)) {
      refuse(digest, "names pack " + pack.hex() + ", which there is not");
    }
  }
}

void BlobVerifier::open_leaf(Recipe recipe, const Digest& digest) {
  if (recipe.blob || ends_small_ || nodes_.size() == kNodesMax) begin_blob();
  std::unordered_set<Digest> seen;
  for (const auto& entry : recipe.entries) {
    if (entry.pack == 0 && !seen.insert(entry.digest).second)
      repeated_.insert(entry.digest);
  }
  leaf_ = OpenLeaf{std::move(recipe), digest};
  pass_chunks_at_hand();
}

void BlobVerifier::pass_chunks_at_hand() {
  for (const auto& entries = leaf_->recipe.entries; leaf_->next < entries.size();
       ++leaf_->next) {
    const Recipe::Entry& entry = entries[leaf_->next];
    if (entry.pack > 0) {
      pass_foreign_chunk(entry, leaf_->recipe.packs[entry.pack - 1]);
    } else if (chunk_sizes_.contains(entry.digest)) {
      pass_own_chunk(entry);
    } else {
      return;
    }
  }
  close_leaf();
}

void BlobVerifier::pass_own_chunk(const Recipe::Entry& entry) {
  if (chunk_sizes_.at(entry.digest) != entry.size_bytes) {
    refuse(leaf_->digest,
           "lists chunk " + entry.digest.to_string() + " with a size it does not have");
  }
  if (const auto kept = kept_.find(entry.digest); in_order_ && kept != kept_.end()) {
    sha256_.update(kept->second);
  } else {
    in_order_ = false;
  }
}

// The SHA-256 of a stored chunk was verified when it came: its checksum tells whether it is
// still the same.
void BlobVerifier::pass_foreign_chunk(const Recipe::Entry& entry, const Digest& pack) {
  const RecordLocation* location = records_.find(pack, RecordType::chunk, entry.digest);
  if (location == nullptr || location->header.raw_size_bytes != entry.size_bytes) {
    refuse(leaf_->digest, "lists chunk " + entry.digest.to_string() + " of " +
                              std::to_string(entry.size_bytes) + " bytes in pack " +
                              pack.hex() + ", which has no such chunk");
  }
  if (!in_order_) return;
  scratch_.resize(entry.size_bytes);
  records_.read(pack, RecordType::chunk, entry.digest, scratch_);
  sha256_.update(scratch_);
}

void BlobVerifier::close_leaf() {
  const OpenLeaf leaf = std::move(*leaf_);
  leaf_.reset();
  if (leaf.recipe.blob) {
    end_blob(leaf.recipe, leaf.digest);
    return;
  }
  nodes_.push_back(recipes_.at(leaf.digest));
  // So the next leaf begins another blob. A topmost recipe that lists both all the same
  // does not list what just came, and verify_blob() finds the small chunk.
  ends_small_ = leaf.recipe.entries.back().size_bytes < kChunkSizeMin;
}

void BlobVerifier::add_inner_node(const Recipe& recipe, const Digest& digest) {
  if (lists_what_just_came(recipe)) {
    if (recipe.blob) {
      end_blob(recipe, digest);
    } else {
      nodes_.erase(nodes_.end() - static_cast<std::ptrdiff_t>(recipe.entries.size()),
                   nodes_.end());
      nodes_.push_back(recipes_.at(digest));
    }
    return;
  }
  check_children(recipe, digest);
  begin_blob();
  in_order_ = false;
  if (recipe.blob) end_blob(recipe, digest);
}

bool BlobVerifier::lists_what_just_came(const Recipe& recipe) const {
  const std::size_t count = recipe.entries.size();
  if (recipe.blob ? nodes_.size() != count : nodes_.size() < count) return false;
  return std::equal(
      recipe.entries.begin(), recipe.entries.end(),
      nodes_.end() - static_cast<std::ptrdiff_t>(count),
      [&](const Recipe::Entry& entry, const Node& node) {
        const bool same_place =
            entry.pack == 0 ? !node.pack : node.pack == recipe.packs[entry.pack - 1];
        return same_place && node.digest == entry.digest &&
               node.size_bytes == entry.size_bytes && node.height + 1 == recipe.height;
      });
}

// Whether what is there is a recipe of that size and height shows when the blob is read.
void BlobVerifier::check_children(const Recipe& recipe, const Digest& digest) {
  for (const auto& entry : recipe.entries) {
    const bool is_there = entry.pack == 0
                              ? recipes_.contains(entry.digest)
                              : records_.find(recipe.packs[entry.pack - 1],
                                              RecordType::recipe, entry.digest) != nullptr;
    if (!is_there) {
      refuse(digest,
             "lists recipe " + entry.digest.to_string() + ", which is not in that pack");
    }
  }
}

void BlobVerifier::end_blob(const Recipe& recipe, const Digest& digest) {
  const StoredBlob blob{*recipe.blob, recipe.size_bytes(), digest};
  if (!in_order_) {
    deferred_.push_back(blob);
  } else if (sha256_.finish() == blob.digest) {
    verified_.push_back(blob);
  } else {
    refuse(digest, "says that it is of blob " + blob.digest.to_string() +
                       ", whose bytes have another digest");
  }
  begin_blob();
}

void BlobVerifier::begin_blob() {
  sha256_ = Sha256();
  in_order_ = true;
  ends_small_ = false;
  nodes_.clear();
}

}  // namespace mendel::storage
