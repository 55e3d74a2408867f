#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "storage/blob_reader.h"
#include "storage/blob_writer.h"
#include "storage/pack_ingest.h"

namespace mendel::testing {

// A namespace's storage without a database: it takes in packs, remembers what they brought,
// and knows their chunks. What a server keeps in rows is kept in maps here.
class Depot : public storage::PackScope,
              public storage::KnownChunks,
              private storage::PackIngest::Listener {
 public:
  explicit Depot(storage::ObjectStore& objects) : packs_(objects, 64 << 20) {}

  // Takes in a stream of packs, in pieces of the given size.
  void ingest(std::span<const std::byte> stream, std::size_t piece_size_bytes);

  // Pushes one blob after the other through a writer into this depot.
  struct Push {
    std::vector<Digest> digests;
    std::uint64_t chunk_bytes_new = 0;
    std::uint64_t pack_bytes = 0;
  };
  Push push(const std::vector<std::vector<std::byte>>& blobs);

  std::vector<std::byte> read(const Digest& blob);

  const storage::BlobLocation& location(const Digest& blob) const {
    return blobs_.at(blob);
  }
  bool has_blob(const Digest& blob) const { return blobs_.contains(blob); }
  std::size_t pack_count() const { return pack_names_.size(); }
  std::size_t blob_count() const { return blobs_.size(); }
  std::size_t manifest_count() const { return manifests_.size(); }
  storage::PackCache& packs() { return packs_; }
  storage::PackIngest::Listener& listener() { return *this; }

  bool may_refer_to(const Digest& pack_name) override {
    return pack_names_.contains(pack_name);
  }
  void refuse_purged(std::span<const Digest>) override {}
  std::vector<std::optional<Digest>> find(std::span<const Digest> digests) override;

 private:
  void pack_stored(storage::IngestedPack pack) override;

  storage::PackCache packs_;
  std::unordered_set<Digest> pack_names_;
  std::unordered_set<Digest> manifests_;
  std::unordered_map<Digest, storage::BlobLocation> blobs_;
  std::unordered_map<Digest, Digest> chunks_;  // and the pack that has them
};

// Hands packs over to a receiver as they are written.
class IngestTarget : public storage::PackTarget, private Sink {
 public:
  explicit IngestTarget(storage::PackIngest& ingest) : ingest_(ingest) {}

  Sink& begin_pack() override { return *this; }
  void end_pack(storage::PackIndex index, std::vector<storage::StoredBlob> blobs) override {
    ended.emplace_back(std::move(index), std::move(blobs));
  }

  std::vector<std::pair<storage::PackIndex, std::vector<storage::StoredBlob>>> ended;

 private:
  void write(std::span<const std::byte> data) override { ingest_.append(data); }

  storage::PackIngest& ingest_;
};

}  // namespace mendel::testing
