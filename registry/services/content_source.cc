#include "registry/services/content_source.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>

#include "storage/base/error.h"
#include "storage/chunker.h"
#include "storage/record_batch.h"

// Blobs are taken in the order in which they are asked for, a batch of small ones or one
// large one at a time. Within a batch the packs are visited one after the other and each is
// read in the order in which it was written, whatever the order of the blobs is.

namespace mendel::registry {

namespace {

constexpr std::uint64_t kSmallSizeMax = storage::kChunkSizeMax;
constexpr std::uint64_t kBatchSizeMax = 1 << 20;
constexpr std::size_t kPlacesMax = 2048;

std::size_t take(std::span<const std::byte> from, std::size_t& offset,
                 std::span<std::byte> to) {
  const std::size_t size = std::min(from.size() - offset, to.size());
  if (size > 0) std::memcpy(to.data(), from.data() + offset, size);
  offset += size;
  return size;
}

[[noreturn]] void throw_lost(const Digest& digest, std::string_view problem) {
  throw Error(ErrorCode::data_loss, "blob " + digest.to_string() +
                                        ", which a version names, " + std::string(problem));
}

// A recipe whose packs a reader may not refer to.
storage::Recipe without_pack_names(storage::Recipe recipe) {
  recipe.packs = {Digest()};
  for (storage::Recipe::Entry& entry : recipe.entries) entry.pack = 1;
  return recipe;
}

}  // namespace

BlobPlace place_of(const schema::BlobPlaceRow& row) {
  const auto size_bytes = static_cast<std::uint64_t>(row.size_bytes);
  return {{row.digest, size_bytes, row.pack, row.recipe}, row.pack_namespace};
}

ContentSource::ContentSource(schema::Database& database, NamespacePacks& packs,
                             NamespaceId ns, std::vector<BlobContent> blobs)
    : database_(database), packs_(packs), ns_(ns), blobs_(std::move(blobs)) {}

std::size_t ContentSource::read(std::span<std::byte> buffer) {
  std::size_t filled = 0;
  while (filled < buffer.size()) {
    filled += read_some(buffer.subspan(filled));
    if (filled == buffer.size()) break;
    if (next_ == blobs_.size()) break;
    open_next();
  }
  return filled;
}

std::size_t ContentSource::read_some(std::span<std::byte> buffer) {
  if (!large_) return take(batch_, batch_offset_, buffer);
  const std::size_t size = large_->read(buffer);
  if (size < buffer.size()) large_.reset();
  return size;
}

void ContentSource::open_next() {
  if (next_ == places_begin_ + places_.size()) locate_more();
  if (blobs_[next_].size_bytes > kSmallSizeMax) {
    open_large();
  } else {
    load_batch();
  }
}

void ContentSource::open_large() {
  const BlobPlace& place = places_[next_ - places_begin_];
  batch_.clear();
  batch_offset_ = 0;
  large_ = std::make_unique<storage::BlobReader>(packs_.of(place.pack_namespace),
                                                 place.location, 0, place.size_bytes());
  ++next_;
}

void ContentSource::load_batch() {
  const std::size_t begin = next_;
  const std::size_t places_end = places_begin_ + places_.size();
  std::uint64_t size = 0;
  while (next_ < places_end && blobs_[next_].size_bytes <= kSmallSizeMax &&
         (next_ == begin || size + blobs_[next_].size_bytes <= kBatchSizeMax)) {
    size += blobs_[next_++].size_bytes;
  }
  batch_.resize(size);
  batch_offset_ = 0;
  const auto places = std::span(places_).subspan(begin - places_begin_, next_ - begin);
  for (;;) {
    UsedPacks used;
    try {
      return read_batch(places, used);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::not_found || !follow(used)) throw;
    }
  }
}

// A pack was rewritten meanwhile. Whether any leads elsewhere now.
bool ContentSource::follow(const UsedPacks& used) {
  return std::ranges::count_if(used, [&](const auto& pack) {
           const auto& [named, read] = pack;
           return packs_.of(named.first).follow(named.second, read);
         }) > 0;
}

void ContentSource::read_batch(std::span<const BlobPlace> places, UsedPacks& used) {
  std::map<std::pair<NamespaceId, Digest>, std::vector<storage::WantedRecord>> by_pack;
  std::span<std::byte> rest = batch_;
  for (const BlobPlace& place : places) {
    const auto raw = rest.first(place.size_bytes());
    rest = rest.subspan(raw.size());
    storage::PackCache& packs = packs_.of(place.pack_namespace);
    if (place.location.recipe) {
      storage::BlobReader(packs, place.location, 0, raw.size()).read(raw);
      continue;
    }
    const auto index = packs.index(place.location.pack);
    used[{place.pack_namespace, place.location.pack}] = index->name();
    const auto* record = index->find(storage::RecordType::blob, place.digest());
    if (record == nullptr || record->header.raw_size_bytes != raw.size()) {
      throw_lost(place.digest(), "is not in its pack");
    }
    by_pack[{place.pack_namespace, index->name()}].push_back({*record, raw});
  }
  for (auto& [pack, wanted] : by_pack) {
    storage::read_records(packs_.of(pack.first).objects(), pack.second, std::move(wanted));
  }
}

void ContentSource::locate_more() {
  const auto asked = std::span(blobs_).subspan(
      next_, std::min<std::size_t>(kPlacesMax, blobs_.size() - next_));
  std::vector<Digest> digests;
  for (const BlobContent& blob : asked) digests.push_back(blob.digest);
  const auto rows = database_.read(
      "find the blobs of a version",
      [&](schema::Transaction& tx) { return schema::find_blobs(tx, ns_, digests); });
  std::unordered_map<Digest, BlobPlace> found;
  for (const auto& row : rows) found.emplace(row.digest, place_of(row));

  places_.clear();
  places_begin_ = next_;
  for (const BlobContent& blob : asked) {
    const auto place = found.find(blob.digest);
    if (place == found.end()) throw_lost(blob.digest, "is not there");
    if (place->second.size_bytes() != blob.size_bytes) {
      throw_lost(blob.digest, "has another size");
    }
    places_.push_back(place->second);
  }
}

RecipeSource::RecipeSource(NamespacePacks& packs, NamespaceId ns, const BlobPlace& blob)
    : leaves_(packs.of(blob.pack_namespace), blob.location),
      hides_packs_(blob.pack_namespace != ns) {}

std::size_t RecipeSource::read(std::span<std::byte> buffer) {
  std::size_t filled = 0;
  for (;;) {
    filled += take(encoded_, offset_, buffer.subspan(filled));
    if (filled == buffer.size()) return filled;
    auto leaf = leaves_.next();
    if (!leaf) return filled;
    const auto bytes =
        encode_recipe(hides_packs_ ? without_pack_names(std::move(*leaf)) : *leaf);
    encoded_.clear();
    for (int shift = 0; shift < 32; shift += 8) {
      encoded_.push_back(static_cast<std::byte>(bytes.size() >> shift));
    }
    encoded_.insert(encoded_.end(), bytes.begin(), bytes.end());
    offset_ = 0;
  }
}

}  // namespace mendel::registry
