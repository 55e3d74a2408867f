#include "registry/services/uploads.h"

#include <chrono>
#include <future>
#include <mutex>
#include <utility>

#include "registry/services/known_chunks.h"
#include "registry/services/pack_rows.h"
#include "registry/services/tombstones.h"
#include "schema/content.h"
#include "storage/base/error.h"
#include "storage/base/lru_cache.h"
#include "storage/base/uuid.h"
#include "storage/pack_ingest.h"

namespace mendel::registry {

namespace {

constexpr std::chrono::days kUploadLifetime{7};

// How many of an upload's own packs are asked for chunks, whatever their hooks say: what
// arrived just before a connection broke is found for certain.
constexpr std::int32_t kOwnPacksAsked = 8;

// What find_chunks() remembers of an upload between batches; only a cache.
constexpr std::size_t kChunkMemoriesMax = 256;

struct ChunkMemory {
  ChunkMemory(schema::Database& database, NamespacePacks& packs, NamespaceId ns)
      : chunks(database, packs, ns) {}

  std::mutex mutex;
  NamespaceChunks chunks;
};

// The packs that have rows in a namespace, by their own names or by those that they had
// before they were rewritten. One that is purged meanwhile makes the whole stream fail when
// its rows are written, so what was once found is believed for as long as the stream lasts.
class NamespaceScope : public storage::PackScope {
 public:
  NamespaceScope(schema::Database& database, storage::PackCache& packs, NamespaceId ns)
      : database_(database), packs_(packs), ns_(ns) {}

  bool may_refer_to(const Digest& pack_name) override {
    if (known_.find(pack_name)) return true;
    const bool is_there = has_row(pack_name) || has_successor(pack_name);
    if (is_there) add(pack_name);
    return is_there;
  }

  void refuse_purged(std::span<const Digest> blobs) override {
    database_.read("look for tombstones", [&](schema::Transaction& tx) {
      registry::refuse_purged(tx, ns_, blobs);
    });
  }

  void add(const Digest& pack_name) {
    known_.put(pack_name, std::make_shared<const bool>(true), 1);
  }

 private:
  static constexpr std::size_t kKnownMax = 4096;

  bool has_row(const Digest& pack_name) {
    return database_.read("find a pack", [&](schema::Transaction& tx) {
      return schema::has_pack(tx, ns_, pack_name);
    });
  }

  // Recipes keep the names that packs had when they were written.
  bool has_successor(const Digest& pack_name) {
    try {
      packs_.follow(pack_name, pack_name);
      const Digest name = packs_.index(pack_name)->name();
      return name != pack_name && has_row(name);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::not_found) throw;
      return false;
    }
  }

  schema::Database& database_;
  storage::PackCache& packs_;
  const NamespaceId ns_;
  LruCache<Digest, const bool> known_{kKnownMax};
};

class PackStream : public UploadService::Ingest, private storage::PackIngest::Listener {
 public:
  PackStream(schema::Database& database, NamespacePacks& packs, Upload upload)
      : database_(database),
        upload_(std::move(upload)),
        seen_(count_rewrites(database, upload_.ns)),
        scope_(database, packs.of(upload_.ns), upload_.ns),
        ingest_(packs.of(upload_.ns), scope_, *this) {}

  void append(std::span<const std::byte> data) override { ingest_.append(data); }

  Result finish() override {
    ingest_.finish();
    wait_for_record();
    return std::move(result_);
  }

 private:
  // The rows of a pack are written while the next one comes in, and before that one's.
  void pack_stored(storage::IngestedPack pack) override {
    wait_for_record();
    scope_.add(pack.index->name());
    result_.packs.push_back({pack.index->name(), pack.index->pack_size_bytes()});
    result_.blobs += pack.blobs.size();
    record_ =
        std::async(std::launch::async, [this, pack = std::move(pack)] { record(pack); });
  }

  void record(const storage::IngestedPack& pack) {
    database_.transact("record a pack", [&](schema::Transaction& tx) {
      const auto pack_id =
          insert_pack_rows(tx, upload_.ns, *pack.index, pack.blobs, pack.manifests, seen_);
      schema::insert_upload_pack(tx, upload_.id, pack_id);
    });
  }

  // Throws what recording the last pack threw.
  void wait_for_record() {
    if (record_.valid()) record_.get();
  }

  schema::Database& database_;
  const Upload upload_;
  const RewriteCount seen_;
  NamespaceScope scope_;
  storage::PackIngest ingest_;
  Result result_;
  std::future<void> record_;  // of the last pack; its end waits for the thread
};

Error no_such_upload(std::string_view id) {
  return {ErrorCode::not_found, "there is no upload " + std::string(id) + " (any more)"};
}

}  // namespace

struct UploadService::State {
  schema::Database& database;
  NamespacePacks& packs;
  const Clock& clock;
  LruCache<std::string, ChunkMemory> chunk_memories{kChunkMemoriesMax};

  std::shared_ptr<ChunkMemory> memory_of(const Upload& upload) {
    if (auto known = chunk_memories.find(upload.id)) return known;
    auto memory = std::make_shared<ChunkMemory>(database, packs, upload.ns);
    chunk_memories.put(upload.id, memory, 1);
    return memory;
  }
};

UploadService::UploadService(schema::Database& database, NamespacePacks& packs,
                             const Clock& clock)
    : state_(new State{database, packs, clock}) {}
UploadService::~UploadService() = default;

Upload UploadService::create(NamespaceId ns, const Caller& caller) {
  const Timestamp now = state_->clock.now();
  const Upload upload{make_uuid_v7(now), ns, now, now + kUploadLifetime};
  state_->database.transact("begin an upload", [&](schema::Transaction& tx) {
    schema::insert_upload(
        tx, {upload.id, ns, caller.principal, upload.created_at, upload.expires_at});
  });
  return upload;
}

Upload UploadService::get(NamespaceId ns, std::string_view id) {
  if (!is_uuid(id)) throw no_such_upload(id);
  const auto row = state_->database.read("find an upload", [&](schema::Transaction& tx) {
    return schema::find_upload(tx, ns, id, state_->clock.now());
  });
  if (!row) throw no_such_upload(id);
  return {row->id, row->namespace_id, row->created_at, row->expires_at};
}

std::vector<UploadService::StoredPack> UploadService::packs(const Upload& upload) {
  const auto rows =
      state_->database.read("list packs of an upload", [&](schema::Transaction& tx) {
        return schema::list_upload_packs(tx, upload.id, kPacksShownMax);
      });
  std::vector<StoredPack> packs;
  for (const auto& row : rows) {
    packs.push_back({row.name, static_cast<std::uint64_t>(row.size_bytes)});
  }
  return packs;
}

void UploadService::remove(NamespaceId ns, std::string_view id) {
  if (!is_uuid(id)) throw no_such_upload(id);
  const bool removed = state_->database.transact(
      "end an upload",
      [&](schema::Transaction& tx) { return schema::delete_upload(tx, ns, id); });
  if (!removed) throw no_such_upload(id);
}

void UploadService::forget() { state_->chunk_memories.clear(); }

std::vector<std::size_t> UploadService::find_missing_blobs(
    const Upload& upload, std::span<const Digest> digests) {
  return state_->database.read("find blobs", [&](schema::Transaction& tx) {
    const auto sizes = schema::find_blob_sizes(tx, upload.ns, digests);
    std::vector<std::size_t> missing;
    std::vector<Digest> wanted;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      if (sizes[i]) continue;
      missing.push_back(i);
      wanted.push_back(digests[i]);
    }
    refuse_purged(tx, upload.ns, wanted);
    return missing;
  });
}

std::vector<std::optional<Digest>> UploadService::find_chunks(
    const Upload& upload, std::span<const Digest> digests) {
  const auto rows =
      state_->database.read("list packs of an upload", [&](schema::Transaction& tx) {
        return schema::list_upload_packs(tx, upload.id, kOwnPacksAsked);
      });
  std::vector<Digest> own_packs;
  for (const auto& row : rows) own_packs.push_back(row.name);

  const auto memory = state_->memory_of(upload);
  const std::lock_guard lock(memory->mutex);
  return memory->chunks.find(digests, own_packs);
}

std::unique_ptr<UploadService::Ingest> UploadService::begin_ingest(const Upload& upload) {
  return std::make_unique<PackStream>(state_->database, state_->packs, upload);
}

}  // namespace mendel::registry
