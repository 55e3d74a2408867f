#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "storage/base/digest.h"
#include "storage/base/sha256.h"
#include "storage/pack.h"
#include "storage/pack_cache.h"
#include "storage/recipe.h"
#include "storage/record_reader.h"

namespace mendel::storage {

// Which packs a recipe may point into: those of the caller's namespace. Knowing a pack's
// name or a chunk's digest gives nobody its bytes.
class PackScope {
 public:
  virtual ~PackScope() = default;
  virtual bool may_refer_to(const Digest& pack_name) = 0;

  // Throws if one of the blobs must not be stored. Asked before the pack that has them can
  // be seen by anybody.
  virtual void refuse_purged(std::span<const Digest> blobs) = 0;
};

// Follows the records of packs as they come and works out which blobs they complete. Blobs
// are hashed as their chunks pass, in the order of their leaves; chunks that lie in earlier
// packs are read from there. What does not come in that order, or names a chunk of the same
// pack whose bytes have gone by, is verified once the pack can be read.
//
// It refuses what no honest writer sends: chunks that no recipe lists next, recipes that
// point outside their scope or at what is not there, a blob that is not what its recipe
// says. Throws unprocessable; after that it is of no use. For one thread.
class BlobVerifier {
 public:
  BlobVerifier(PackCache& packs, PackScope& scope);

  // The running hash of the blob whose next chunk this is, if there is one: its bytes must
  // be added to it before add_chunk().
  Sha256* blob_around(const Digest& chunk);

  // The records of a pack, in their order, verified by themselves already.
  void add_chunk(const Digest& digest, std::span<const std::byte> raw);
  void add_blob(const Digest& digest, std::span<const std::byte> raw);
  void add_recipe(const Digest& digest, std::span<const std::byte> raw);

  // No leaf waits for a chunk: a record of another kind may come, or the end of the pack.
  void require_no_open_leaf() const;

  // The blobs that the pack so far completes.
  std::vector<Digest> completed() const;

  // The pack has become readable under this name. Verifies what is left, and returns the
  // blobs that the pack completes.
  std::vector<StoredBlob> end_pack(const Digest& pack_name);

 private:
  struct Node {
    Digest digest;
    std::uint64_t size_bytes;
    int height;
    std::optional<Digest> pack;  // absent: the one that is coming in
  };
  struct OpenLeaf {
    Recipe recipe;
    Digest digest;
    std::size_t next = 0;  // the entry that comes next
  };

  bool awaits(const Digest& chunk) const;
  void check_packs(const Recipe& recipe, const Digest& digest);
  void open_leaf(Recipe recipe, const Digest& digest);
  void pass_chunks_at_hand();
  void pass_own_chunk(const Recipe::Entry& entry);
  void pass_foreign_chunk(const Recipe::Entry& entry, const Digest& pack);
  void close_leaf();
  void add_inner_node(const Recipe& recipe, const Digest& digest);
  bool lists_what_just_came(const Recipe& recipe) const;
  void check_children(const Recipe& recipe, const Digest& digest);
  void end_blob(const Recipe& recipe, const Digest& digest);
  void begin_blob();

  PackCache& packs_;
  PackScope& scope_;
  RecordReader records_;

  // The blob that is coming in: what its bytes hash to so far, and the finished nodes that
  // no other one lists yet.
  Sha256 sha256_;
  bool in_order_ = true;     // sha256_ has seen every byte
  bool ends_small_ = false;  // its last chunk is below the minimum: no more may follow
  std::vector<Node> nodes_;
  std::optional<OpenLeaf> leaf_;

  // The pack that is coming in.
  std::unordered_map<Digest, std::uint32_t> chunk_sizes_;
  std::unordered_set<Digest> small_blobs_;
  std::unordered_map<Digest, Node> recipes_;
  std::unordered_set<Digest> repeated_;  // chunks that a leaf lists more than once
  std::unordered_map<Digest, std::vector<std::byte>> kept_;  // their bytes, up to a limit
  std::size_t kept_bytes_ = 0;
  std::vector<StoredBlob> verified_;
  std::vector<StoredBlob> deferred_;
  std::vector<std::byte> scratch_;
};

}  // namespace mendel::storage
