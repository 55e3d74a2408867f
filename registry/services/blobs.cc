#include "registry/services/blobs.h"

#include <functional>
#include <utility>

#include "registry/services/blob_upload.h"
#include "registry/services/content_source.h"
#include "registry/services/pack_gatherer.h"
#include "schema/content.h"
#include "storage/base/error.h"
#include "storage/base/lru_cache.h"

namespace mendel::registry {

namespace {

constexpr std::size_t kHotMemoryMax = 64 << 20;
constexpr std::size_t kHotSizeMax = 8 << 20;
constexpr std::size_t kPlaceMemoryMax = 8 << 20;
constexpr std::size_t kPlaceSize = 320;  // with what the lists and tables take for it

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
  MemoryBudget upload_memory{kUploadMemoryMax};
  LruCache<PlaceKey, const BlobPlace, PlaceKeyHash> places{kPlaceMemoryMax};
  LruCache<Digest, const std::string> hot{kHotMemoryMax};
};

BlobService::BlobService(schema::Database& database, NamespacePacks& packs)
    : state_(std::make_unique<State>(database, packs)) {}
BlobService::~BlobService() = default;

std::optional<BlobPlace> BlobService::find(NamespaceId ns, const Digest& digest) {
  if (auto known = remembered(ns, digest)) return known;
  const auto row = state_->database.read("find a blob", [&](schema::Transaction& tx) {
    return schema::find_blob(tx, ns, digest);
  });
  if (!row) return std::nullopt;
  const BlobPlace place = place_of(*row);
  state_->places.put({ns, digest}, std::make_shared<const BlobPlace>(place), kPlaceSize);
  return place;
}

std::optional<BlobPlace> BlobService::remembered(NamespaceId ns,
                                                 const Digest& digest) const {
  const auto place = state_->places.find({ns, digest});
  if (!place) return std::nullopt;
  return *place;
}

BlobPlace BlobService::get_named(NamespaceId ns, const Digest& digest) {
  const auto place = find(ns, digest);
  if (!place) {
    throw Error(ErrorCode::data_loss,
                "blob " + digest.to_string() + ", which a version names, is not there");
  }
  return *place;
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
  auto bytes = std::make_shared<std::string>(blob.size_bytes(), '\0');
  const auto source = open(blob, 0, blob.size_bytes());
  source->read(std::as_writable_bytes(std::span(bytes->data(), bytes->size())));
  if (Digest::of(*bytes) != blob.digest()) {
    throw Error(ErrorCode::data_loss, "the stored bytes of " + blob.digest().to_string() +
                                          " have another digest");
  }
  state_->hot.put(blob.digest(), bytes, bytes->size() + kPlaceSize);
  return bytes;
}

std::unique_ptr<BlobService::Upload> BlobService::begin_upload(
    NamespaceId ns, const Digest& expected, std::optional<std::uint64_t> size_bytes) {
  if (find(ns, expected)) return begin_comparing_upload(expected);
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
  const auto missing = state_->database.transact(
      "attach blobs",
      [&](schema::Transaction& tx) { return schema::attach_blobs(tx, ns, from, digests); });
  if (missing) {
    throw Error(ErrorCode::not_found, "there is no blob " + missing->to_string());
  }
}

}  // namespace mendel::registry
