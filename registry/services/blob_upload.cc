#include "registry/services/blob_upload.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "registry/services/known_chunks.h"
#include "registry/services/object_pack.h"
#include "registry/services/pack_rows.h"
#include "schema/content.h"
#include "storage/base/error.h"
#include "storage/base/sha256.h"
#include "storage/blob_writer.h"
#include "storage/chunker.h"
#include "storage/recipe.h"

namespace mendel::registry {

namespace {

// A blob that is no longer than the longest chunk is held until its end, to see whether it
// is one. A longer one needs what BlobWriter holds.
constexpr std::size_t kHeldSizeMax = storage::kChunkSizeMax;
constexpr std::size_t kWriterMemory =
    storage::kLeafSizeTarget + 2 * storage::kChunkSizeMax + (1 << 20);

void check_digest(const Digest& found, const Digest& expected) {
  if (found == expected) return;
  throw Error(ErrorCode::unprocessable, "the bytes have the digest " + found.to_string() +
                                            ", not " + expected.to_string());
}

MemoryBudget::Share take_memory(MemoryBudget& budget, std::size_t bytes) {
  auto share = budget.try_take(bytes);
  if (!share) {
    throw Error(ErrorCode::unavailable, "too many large uploads at once: try again");
  }
  return std::move(*share);
}

// Writes packs into the object store. A pack's row is written when the next one has begun,
// or by finish(), which alone writes the row of the blob.
class StoredPacks : public storage::PackTarget {
 public:
  StoredPacks(schema::Database& database, storage::PackCache& packs, NamespaceId ns)
      : database_(database), packs_(packs), ns_(ns), seen_(count_rewrites(database, ns)) {}

  Sink& begin_pack() override {
    record_last_pack({});
    return open_.emplace(packs_);
  }

  void end_pack(storage::PackIndex index, std::vector<storage::StoredBlob> blobs) override {
    last_ = open_->commit(std::move(index));
    blobs_ = std::move(blobs);
    open_.reset();
  }

  void finish() { record_last_pack(blobs_); }

 private:
  void record_last_pack(std::span<const storage::StoredBlob> blobs) {
    if (!last_) return;
    database_.transact("record a pack", [&](schema::Transaction& tx) {
      insert_pack_rows(tx, ns_, *last_, blobs, {}, seen_);
    });
    last_ = nullptr;
  }

  schema::Database& database_;
  storage::PackCache& packs_;
  const NamespaceId ns_;
  const RewriteCount seen_;
  std::optional<ObjectPack> open_;
  std::shared_ptr<const storage::PackIndex> last_;
  std::vector<storage::StoredBlob> blobs_;
};

class LargeBlob {
 public:
  LargeBlob(schema::Database& database, NamespacePacks& packs, NamespaceId ns)
      : known_(database, packs, ns),
        target_(database, packs.of(ns), ns),
        writer_(target_, known_) {}

  void append(std::span<const std::byte> data) { writer_.append(data); }

  void finish(const Digest& expected) {
    check_digest(writer_.end_blob(), expected);
    writer_.flush();
    target_.finish();
  }

 private:
  NamespaceChunks known_;
  StoredPacks target_;
  storage::BlobWriter writer_;
};

class StoringUpload : public BlobService::Upload {
 public:
  StoringUpload(schema::Database& database, NamespacePacks& packs, PackGatherer& gatherer,
                MemoryBudget& budget, NamespaceId ns, const Digest& expected,
                std::optional<std::uint64_t> size_bytes)
      : database_(database),
        packs_(packs),
        gatherer_(gatherer),
        budget_(budget),
        ns_(ns),
        expected_(expected),
        held_memory_(take_memory(budget, kHeldSizeMax)) {
    if (size_bytes && *size_bytes > kHeldSizeMax) {
      writer_memory_.emplace(
          take_memory(budget, std::min<std::uint64_t>(*size_bytes, kWriterMemory)));
    }
  }

  void append(std::span<const std::byte> data) override {
    size_bytes_ += data.size();
    if (!large_ && size_bytes_ <= kHeldSizeMax) {
      held_.insert(held_.end(), data.begin(), data.end());
    } else {
      large().append(data);
    }
  }

  Result finish() override {
    if (!large_ && !is_one_chunk()) large();
    if (large_) {
      large_->finish(expected_);
    } else {
      check_digest(Digest::of(held_), expected_);
      gatherer_.store(ns_, storage::RecordType::blob, expected_, held_);
    }
    return {Outcome::created, size_bytes_};
  }

 private:
  bool is_one_chunk() const { return storage::first_chunk_size(held_) == held_.size(); }

  LargeBlob& large() {
    if (!large_) {
      if (!writer_memory_) writer_memory_.emplace(take_memory(budget_, kWriterMemory));
      large_.emplace(database_, packs_, ns_);
      large_->append(held_);
      held_ = {};
    }
    return *large_;
  }

  schema::Database& database_;
  NamespacePacks& packs_;
  PackGatherer& gatherer_;
  MemoryBudget& budget_;
  const NamespaceId ns_;
  const Digest expected_;
  MemoryBudget::Share held_memory_;
  std::optional<MemoryBudget::Share> writer_memory_;
  std::uint64_t size_bytes_ = 0;
  std::vector<std::byte> held_;
  std::optional<LargeBlob> large_;
};

class ComparingUpload : public BlobService::Upload {
 public:
  explicit ComparingUpload(const Digest& expected) : expected_(expected) {}

  void append(std::span<const std::byte> data) override {
    hash_.update(data);
    size_bytes_ += data.size();
  }

  Result finish() override {
    check_digest(hash_.finish(), expected_);
    return {Outcome::present, size_bytes_};
  }

 private:
  const Digest expected_;
  Sha256 hash_;
  std::uint64_t size_bytes_ = 0;
};

}  // namespace

std::unique_ptr<BlobService::Upload> begin_storing_upload(
    schema::Database& database, NamespacePacks& packs, PackGatherer& gatherer,
    MemoryBudget& budget, NamespaceId ns, const Digest& expected,
    std::optional<std::uint64_t> size_bytes) {
  return std::make_unique<StoringUpload>(database, packs, gatherer, budget, ns, expected,
                                         size_bytes);
}

std::unique_ptr<BlobService::Upload> begin_comparing_upload(const Digest& expected) {
  return std::make_unique<ComparingUpload>(expected);
}

}  // namespace mendel::registry
