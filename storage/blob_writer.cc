#include "storage/blob_writer.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <unordered_set>
#include <utility>

#include "storage/base/error.h"
#include "storage/base/sha256.h"
#include "storage/chunker.h"
#include "storage/recipe.h"

// A blob passes through one buffer:
//
//   | chunks that are cut and hashed: the open segment | not cut yet |
//
// A chunk is cut as soon as its boundary no longer depends on bytes to come. A segment
// becomes a leaf when a further chunk would take it over its limits, so that a blob that
// ends exactly there still has one leaf and no more. The same holds for inner nodes.

namespace mendel::storage {

namespace {

// A segment may go over its target by a chunk, and less than a chunk waits to be cut: there
// is always room for another one.
constexpr std::size_t kBufferSizeBytes = kLeafSizeTarget + 3 * kChunkSizeMax;

// Room for the records of one more segment and of a blob's last inner nodes.
constexpr std::size_t kRecordsPerPack = kPackRecordsMax - 2 * kRecipeEntriesMax;

struct Chunk {
  Digest digest;
  std::size_t offset;  // in the buffer
  std::size_t size_bytes;
};

struct Node {
  Digest digest;
  std::uint64_t size_bytes;
  std::optional<Digest> pack;  // absent: the pack that is still open, which has no name yet
};

}  // namespace

class BlobWriter::Impl {
 public:
  Impl(PackTarget& target, KnownChunks& known) : target_(target), known_(known) {}

  void append(std::span<const std::byte> data) {
    while (!data.empty()) {
      const auto space = room();
      const auto piece = data.first(std::min(data.size(), space.size()));
      std::ranges::copy(piece, space.begin());
      filled(piece.size());
      data = data.subspan(piece.size());
    }
  }

  std::span<std::byte> room() {
    if (!buffer_) buffer_ = std::make_unique_for_overwrite<std::byte[]>(kBufferSizeBytes);
    return {buffer_.get() + end_, kBufferSizeBytes - end_};
  }

  void filled(std::size_t size_bytes) {
    end_ += size_bytes;
    while (uncut().size() >= kChunkSizeMax) cut_chunk();
  }

  void follow(const ChunkTrail& older) {
    assert(end_ == 0);
    trail_ = &older;
    foreseen_ = older.begin();
  }

  Digest end_blob() {
    while (!uncut().empty()) cut_chunk();
    trail_ = nullptr;
    const std::uint64_t size = std::exchange(blob_size_, 0);
    const std::size_t chunk_count = std::exchange(blob_chunk_count_, 0);
    if (chunk_count <= 1) return end_blob_of_one_chunk();

    const Digest digest = blob_sha256_.finish();
    const Node top = end_tree(digest);
    report({digest, size, top.digest});
    return digest;
  }

  void add_manifest(const Digest& digest, std::span<const std::byte> bytes) {
    assert(end_ == 0);
    pack_with_room().add(RecordType::manifest, digest, bytes);
  }

  void add_small_blob(const Digest& digest, std::span<const std::byte> bytes) {
    assert(end_ == 0);
    if (first_chunk_size(bytes) != bytes.size()) {
      throw Error(ErrorCode::invalid_argument, "a blob of " + std::to_string(bytes.size()) +
                                                   " bytes has several chunks");
    }
    write_blob_record(digest, bytes);
  }

  void flush() {
    assert(end_ == 0);
    if (pack_) close_pack();
  }

  std::uint64_t chunk_bytes_new() const { return chunk_bytes_new_; }
  std::uint64_t pack_bytes() const {
    return closed_pack_bytes_ + (pack_ ? pack_->size_bytes() : 0);
  }

 private:
  std::span<const std::byte> bytes_at(std::size_t offset, std::size_t size_bytes) const {
    return {buffer_.get() + offset, size_bytes};
  }
  std::span<const std::byte> uncut() const { return bytes_at(cut_, end_ - cut_); }

  void cut_chunk() {
    if (cut_ >= kLeafSizeTarget || chunks_.size() == kRecipeEntriesMax) {
      push_node(0, write_leaf(std::nullopt));
    }
    Chunk chunk{{}, cut_, 0};
    if (!take_foreseen_chunk(chunk)) {
      chunk.size_bytes = first_chunk_size(uncut());
      chunk.digest = hash_chunk(uncut().first(chunk.size_bytes));
    }
    if (trail_) foreseen_ = trail_->after(chunk.digest, foreseen_);
    chunks_.push_back(chunk);
    cut_ += chunk.size_bytes;
    blob_size_ += chunk.size_bytes;
    ++blob_chunk_count_;
  }

  // Returns false, and has done nothing, if it is another chunk that comes.
  bool take_foreseen_chunk(Chunk& chunk) {
    if (!trail_ || foreseen_ == ChunkTrail::kNowhere) return false;
    const ChunkTrail::Chunk& foreseen = trail_->chunks()[foreseen_];
    if (foreseen.size_bytes > uncut().size()) return false;
    const Sha256 before = blob_sha256_;
    chunk.size_bytes = foreseen.size_bytes;
    chunk.digest = hash_chunk(uncut().first(chunk.size_bytes));
    if (chunk.digest == foreseen.digest) return true;
    blob_sha256_ = before;
    return false;
  }

  // For the blob as well; up to the end of its first chunk both are the same.
  Digest hash_chunk(std::span<const std::byte> bytes) {
    Sha256 sha256;
    if (blob_chunk_count_ == 0) {
      sha256.update(bytes);
      blob_sha256_ = sha256;
    } else {
      Sha256::update_both(sha256, blob_sha256_, bytes);
    }
    return sha256.finish();
  }

  Digest end_blob_of_one_chunk() {
    const Digest digest = chunks_.empty() ? Digest::of(uncut()) : chunks_.front().digest;
    write_blob_record(digest, bytes_at(0, end_));
    drop_segment();
    return digest;
  }

  void write_blob_record(const Digest& digest, std::span<const std::byte> bytes) {
    PackWriter& pack = pack_with_room();
    if (!pack.contains(RecordType::blob, digest)) chunk_bytes_new_ += bytes.size();
    pack.add(RecordType::blob, digest, bytes);
    report({digest, bytes.size(), std::nullopt});
  }

  // The open segment becomes a leaf, followed by those of its chunks that are new.
  Node write_leaf(const std::optional<Digest>& blob) {
    const auto known = find_known_chunks();
    PackWriter& pack = pack_with_room();
    Recipe leaf;
    leaf.blob = blob;
    std::vector<Chunk> own;
    for (std::size_t i = 0; i < chunks_.size(); ++i) {
      const Chunk& chunk = chunks_[i];
      const bool is_own = has_chunk(pack, chunk.digest) || !known[i];
      if (is_own) own.push_back(chunk);
      leaf.entries.push_back({chunk.digest, chunk.size_bytes,
                              is_own ? std::uint16_t{0} : leaf.number_of(*known[i])});
    }
    const Node node = write_recipe(leaf);
    for (const Chunk& chunk : own) {
      if (has_chunk(pack, chunk.digest)) continue;
      pack.add(RecordType::chunk, chunk.digest, bytes_at(chunk.offset, chunk.size_bytes));
      chunk_bytes_new_ += chunk.size_bytes;
    }
    drop_segment();
    return node;
  }

  std::vector<std::optional<Digest>> find_known_chunks() {
    std::vector<Digest> digests;
    digests.reserve(chunks_.size());
    for (const Chunk& chunk : chunks_) digests.push_back(chunk.digest);
    auto known = known_.find(digests);
    assert(known.size() == digests.size());
    return known;
  }

  static bool has_chunk(const PackWriter& pack, const Digest& digest) {
    return pack.contains(RecordType::chunk, digest) ||
           pack.contains(RecordType::blob, digest);
  }

  void drop_segment() {
    if (end_ > cut_) std::memmove(buffer_.get(), buffer_.get() + cut_, end_ - cut_);
    end_ -= cut_;
    cut_ = 0;
    chunks_.clear();
  }

  Node write_recipe(const Recipe& recipe) {
    const auto bytes = encode_recipe(recipe);
    const Digest digest = Digest::of(bytes);
    open_pack().add(RecordType::recipe, digest, bytes);
    return {digest, recipe.size_bytes(), std::nullopt};
  }

  // The nodes that wait in one level become the entries of a node one level up.
  Node write_inner_node(std::size_t level, const std::optional<Digest>& blob) {
    Recipe recipe;
    recipe.height = static_cast<std::uint8_t>(level + 1);
    recipe.blob = blob;
    for (const Node& node : levels_[level]) {
      recipe.entries.push_back(
          {node.digest, node.size_bytes,
           node.pack ? recipe.number_of(*node.pack) : std::uint16_t{0}});
    }
    levels_[level].clear();
    return write_recipe(recipe);
  }

  void push_node(std::size_t level, const Node& node) {
    if (level == kRecipeHeightMax)
      throw Error(ErrorCode::too_large, "the blob is too large");
    if (level == levels_.size()) levels_.emplace_back();
    if (levels_[level].size() == kRecipeEntriesMax) {
      push_node(level + 1, write_inner_node(level, std::nullopt));
    }
    levels_[level].push_back(node);
  }

  Node end_tree(const Digest& blob) {
    if (levels_.empty()) return write_leaf(blob);
    push_node(0, write_leaf(std::nullopt));
    for (std::size_t level = 0; level + 1 < levels_.size(); ++level) {
      push_node(level + 1, write_inner_node(level, std::nullopt));
    }
    const Node top = write_inner_node(levels_.size() - 1, blob);
    levels_.clear();
    return top;
  }

  PackWriter& open_pack() {
    if (!pack_) pack_.emplace(target_.begin_pack());
    return *pack_;
  }

  // Packs are closed here and nowhere else but in flush(): a blob's last inner nodes stay
  // with its last leaf.
  PackWriter& pack_with_room() {
    if (pack_ && (pack_->size_bytes() >= kPackSizeTarget ||
                  pack_->record_count() > kRecordsPerPack)) {
      close_pack();
    }
    return open_pack();
  }

  void close_pack() {
    PackIndex index = pack_->finish();
    pack_.reset();
    closed_pack_bytes_ += index.pack_size_bytes();
    for (auto& level : levels_) {
      for (Node& node : level) {
        if (!node.pack) node.pack = index.name();
      }
    }
    reported_.clear();
    target_.end_pack(std::move(index), std::exchange(blobs_, {}));
  }

  void report(const StoredBlob& blob) {
    if (reported_.insert(blob.digest).second) blobs_.push_back(blob);
  }

  PackTarget& target_;
  KnownChunks& known_;

  std::unique_ptr<std::byte[]> buffer_;  // made when the first bytes come
  std::size_t end_ = 0;                  // of what is in it
  std::size_t cut_ = 0;
  std::vector<Chunk> chunks_;  // of the open segment

  std::uint64_t blob_size_ = 0;
  std::size_t blob_chunk_count_ = 0;
  Sha256 blob_sha256_;
  const ChunkTrail* trail_ = nullptr;
  std::size_t foreseen_ = 0;  // the place in trail_ of the chunk that may come next
  std::vector<std::vector<Node>>
      levels_;  // of the open blob: what its inner nodes will list

  std::optional<PackWriter> pack_;
  std::vector<StoredBlob> blobs_;  // that the open pack completes
  std::unordered_set<Digest> reported_;
  std::uint64_t closed_pack_bytes_ = 0;
  std::uint64_t chunk_bytes_new_ = 0;
};

BlobWriter::BlobWriter(PackTarget& target, KnownChunks& known)
    : impl_(std::make_unique<Impl>(target, known)) {}
BlobWriter::~BlobWriter() = default;

void BlobWriter::append(std::span<const std::byte> data) { impl_->append(data); }
std::span<std::byte> BlobWriter::room() { return impl_->room(); }
void BlobWriter::filled(std::size_t size_bytes) { impl_->filled(size_bytes); }
void BlobWriter::follow(const ChunkTrail& older) { impl_->follow(older); }
Digest BlobWriter::end_blob() { return impl_->end_blob(); }
void BlobWriter::add_manifest(const Digest& digest, std::span<const std::byte> bytes) {
  impl_->add_manifest(digest, bytes);
}
void BlobWriter::add_small_blob(const Digest& digest, std::span<const std::byte> bytes) {
  impl_->add_small_blob(digest, bytes);
}
void BlobWriter::flush() { impl_->flush(); }
std::uint64_t BlobWriter::chunk_bytes_new() const { return impl_->chunk_bytes_new(); }
std::uint64_t BlobWriter::pack_bytes() const { return impl_->pack_bytes(); }

}  // namespace mendel::storage
