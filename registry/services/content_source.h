#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "registry/services/blobs.h"
#include "registry/services/namespace_packs.h"
#include "schema/content.h"
#include "schema/database.h"
#include "storage/base/io.h"
#include "storage/blob_reader.h"

namespace mendel::registry {

BlobPlace place_of(const schema::BlobPlaceRow& row);

// The bytes of many blobs of a namespace, one after the other: BlobService::open_all(). For
// one thread.
class ContentSource : public Source {
 public:
  ContentSource(schema::Database& database, NamespacePacks& packs, NamespaceId ns,
                std::vector<BlobContent> blobs);

  std::size_t read(std::span<std::byte> buffer) override;

 private:
  std::size_t read_some(std::span<std::byte> buffer);
  void open_next();
  void open_large();
  void load_batch();
  // The packs that places name, and in which ones they are read.
  using UsedPacks = std::map<std::pair<NamespaceId, Digest>, Digest>;
  void read_batch(std::span<const BlobPlace> places, UsedPacks& used);
  bool follow(const UsedPacks& used);
  void locate_more();

  schema::Database& database_;
  NamespacePacks& packs_;
  const NamespaceId ns_;
  std::vector<BlobContent> blobs_;
  std::size_t next_ = 0;           // the first blob that is neither read nor in batch_
  std::vector<BlobPlace> places_;  // of blobs_ from places_begin_ on
  std::size_t places_begin_ = 0;
  std::vector<std::byte> batch_;  // small blobs, one after the other
  std::size_t batch_offset_ = 0;
  std::unique_ptr<storage::BlobReader> large_;
};

// The leaves of a blob's recipe: BlobService::open_recipe(). For one thread.
class RecipeSource : public Source {
 public:
  RecipeSource(NamespacePacks& packs, NamespaceId ns, const BlobPlace& blob);

  std::size_t read(std::span<std::byte> buffer) override;

 private:
  storage::LeafReader leaves_;
  const bool hides_packs_;
  std::vector<std::byte> encoded_;
  std::size_t offset_ = 0;
};

}  // namespace mendel::registry
