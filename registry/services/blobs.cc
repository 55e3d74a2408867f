#include "registry/services/blobs.h"

#include <atomic>
#include <functional>
#include <unordered_map>
#include <utility>

#include "registry/services/blob_upload.h"
#include "registry/services/content_source.h"
#include "registry/services/pack_gatherer.h"
#include "registry/services/tombstone_rows.h"
#include "schema/content.h"
#include "schema/purge.h"
#include "storage/base/error.h"
#include "storage/base/lru_cache.h"

namespace mendel::registry {

namespace {

constexpr std::size_t kHotMemoryMax = 64 << 20;
constexpr std::size_t kHotSizeMax = 8 << 20;
constexpr std::size_t kPlaceMemoryMax = 8 << 20;
constexpr std::size_t kPlaceSize = 320;  // with what the lists and tables take for it

// More tombstones than this are looked up for what is asked for, and not gone through.
constexpr std::int64_t kTombstonesListedMax = 1000;

// A namespace and a digest: what one namespace has been told says nothing to another.
struct PlaceKey {
  NamespaceId ns;
  Digest digest;

  friend bool operator==(const PlaceKey&, const PlaceKey&) = default;
};

struct PlaceKeyHash {
  std::size_t operator()(const PlaceKey& key) const {
    return std::hash<Digest>()(key.digest) ^ std::hash<NamespaceId>()(key.ns);
  }
};

}  // namespace

struct BlobService::State {
  State(schema::Database& the_database, NamespacePacks& the_packs)
      : database(the_database), packs(the_packs), gatherer(the_database, the_packs) {}

  schema::Database& database;
  NamespacePacks& packs;
  PackGatherer gatherer;
  // What was read before forget() is not believed after it, also if it is put in later.
  struct Remembered {
    BlobPlace place;
    std::uint64_t noted;
  };

  MemoryBudget upload_memory{kUploadMemoryMax};
  std::atomic<std::uint64_t> forgotten = 0;
  LruCache<PlaceKey, const Remembered, PlaceKeyHash> places{kPlaceMemoryMax};
  LruCache<Digest, const std::string> hot{kHotMemoryMax};
};

BlobService::BlobService(schema::Database& database, NamespacePacks& packs)
    : state_(std::make_unique<State>(database, packs)) {}
BlobService::~BlobService() = default;

std::optional<BlobPlace> BlobService::find(NamespaceId ns, const Digest& digest) {
  if (auto known = remembered(ns, digest)) return known;
  const std::uint64_t noted = state_->forgotten;
  const auto row = state_->database.read("find a blob", [&](schema::Transaction& tx) {
    return schema::find_blob(tx, ns, digest);
  });
  if (!row) return std::nullopt;
  const BlobPlace place = place_of(*row);
  state_->places.put(
      {ns, digest},
      std::make_shared<const State::Remembered>(State::Remembered{place, noted}),
      kPlaceSize);
  return place;
}

std::optional<BlobPlace> BlobService::remembered(NamespaceId ns,
                                                 const Digest& digest) const {
  const auto known = state_->places.find({ns, digest});
  if (!known || known->noted != state_->forgotten) return std::nullopt;
  return known->place;
}

// Purged bytes leave the memory, too.
void BlobService::forget() {
  ++state_->forgotten;
  state_->hot.clear();
  state_->places.clear();
}

BlobPlace BlobService::get_named(NamespaceId ns, const Digest& digest) {
  const auto place = find(ns, digest);
  if (!place) {
    refuse_purged(ns, {&digest, 1});
    throw Error(ErrorCode::data_loss,
                "blob " + digest.to_string() + ", which a version names, is not there");
  }
  return *place;
}

void BlobService::refuse_purged(NamespaceId ns, std::span<const Digest> digests) {
  if (digests.empty()) return;
  state_->database.read("look for tombstones", [&](schema::Transaction& tx) {
    registry::refuse_purged(tx, ns, digests);
  });
}

void BlobService::refuse_purged_here(NamespaceId ns, const Digest& digest) {
  const auto rows =
      state_->database.read("look for a tombstone", [&](schema::Transaction& tx) {
        return schema::find_tombstones(tx, ns, {&digest, 1});
      });
  if (!rows.empty() && rows.front().was_here) throw gone(tombstone_of(rows.front()));
}

std::optional<Tombstone> BlobService::find_purged(NamespaceId ns,
                                                  std::span<const BlobContent> blobs) {
  const auto rows =
      state_->database.read("look for tombstones", [&](schema::Transaction& tx) {
        auto listed = schema::list_tombstones(tx, ns, kTombstonesListedMax + 1);
        if (listed.size() <= kTombstonesListedMax) return listed;
        std::vector<Digest> digests;
        for (const BlobContent& blob : blobs) digests.push_back(blob.digest);
        return schema::find_tombstones(tx, ns, digests);
      });
  if (rows.empty()) return std::nullopt;
  std::unordered_map<Digest, const schema::TombstoneRow*> by_digest;
  for (const auto& row : rows) by_digest.emplace(row.digest, &row);
  for (const BlobContent& blob : blobs) {
    const auto found = by_digest.find(blob.digest);
    if (found != by_digest.end()) return tombstone_of(*found->second);
  }
  return std::nullopt;
}

std::vector<std::optional<std::uint64_t>> BlobService::sizes(
    NamespaceId ns, std::span<const Digest> digests) {
  const auto found = state_->database.read("find blobs", [&](schema::Transaction& tx) {
    return schema::find_blob_sizes(tx, ns, digests);
  });
  return {found.begin(), found.end()};
}

std::unique_ptr<Source> BlobService::open(const BlobPlace& blob, std::uint64_t offset,
                                          std::uint64_t length) {
  return std::make_unique<storage::BlobReader>(state_->packs.of(blob.pack_namespace),
                                               blob.location, offset, length);
}

std::unique_ptr<Source> BlobService::open_all(NamespaceId ns,
                                              std::vector<BlobContent> blobs) {
  return std::make_unique<ContentSource>(state_->database, state_->packs, ns,
                                         std::move(blobs));
}

std::unique_ptr<Source> BlobService::open_recipe(NamespaceId ns, const BlobPlace& blob) {
  return std::make_unique<RecipeSource>(state_->packs, ns, blob);
}

std::shared_ptr<const std::string> BlobService::remembered_bytes(
    const BlobPlace& blob) const {
  return state_->hot.find(blob.digest());
}

std::shared_ptr<const std::string> BlobService::load_hot(const BlobPlace& blob) {
  if (blob.size_bytes() > kHotSizeMax) return nullptr;
  if (auto known = remembered_bytes(blob)) return known;
  const std::uint64_t noted = state_->forgotten;
  auto bytes = std::make_shared<std::string>(blob.size_bytes(), '\0');
  const auto source = open(blob, 0, blob.size_bytes());
  source->read(std::as_writable_bytes(std::span(bytes->data(), bytes->size())));
  if (Digest::of(*bytes) != blob.digest()) {
    throw Error(ErrorCode::data_loss, "the stored bytes of " + blob.digest().to_string() +
                                          " have another digest");
  }
  state_->hot.put(blob.digest(), bytes, bytes->size() + kPlaceSize);
  if (noted != state_->forgotten) state_->hot.erase(blob.digest());
  return bytes;
}

std::unique_ptr<BlobService::Upload> BlobService::begin_upload(
    NamespaceId ns, const Digest& expected, std::optional<std::uint64_t> size_bytes) {
  if (find(ns, expected)) return begin_comparing_upload(expected);
  refuse_purged(ns, {&expected, 1});
  return begin_storing_upload(state_->database, state_->packs, state_->gatherer,
                              state_->upload_memory, ns, expected, size_bytes);
}

void BlobService::store_manifest(NamespaceId ns, const Digest& digest,
                                 std::string_view bytes) {
  const bool stored =
      state_->database.read("look for a manifest", [&](schema::Transaction& tx) {
        return schema::find_manifest(tx, ns, digest).has_value();
      });
  if (stored) return;
  state_->gatherer.store(ns, storage::RecordType::manifest, digest, as_bytes(bytes));
}

std::optional<std::string> BlobService::find_manifest(NamespaceId ns,
                                                      const Digest& digest) {
  const auto place = state_->database.read("find a manifest", [&](schema::Transaction& tx) {
    return schema::find_manifest(tx, ns, digest);
  });
  if (!place) return std::nullopt;
  const auto bytes = state_->packs.of(place->pack_namespace)
                         .read(place->pack, storage::RecordType::manifest, digest);
  return std::string(as_text(bytes));
}

void BlobService::attach(NamespaceId ns, NamespaceId from, const Digest& digest) {
  attach_all(ns, from, {&digest, 1});
}

void BlobService::attach_all(NamespaceId ns, NamespaceId from,
                             std::span<const Digest> digests) {
  const auto missing =
      state_->database.transact("attach blobs", [&](schema::Transaction& tx) {
        schema::hold_off_purges(tx);
        return schema::attach_blobs(tx, ns, from, digests);
      });
  if (missing) {
    refuse_purged(ns, {&*missing, 1});
    throw Error(ErrorCode::not_found, "there is no blob " + missing->to_string());
  }
}

}  // namespace mendel::registry
