#include "tests/testing/depot.h"

#include <algorithm>

namespace mendel::testing {

using namespace storage;

void Depot::ingest(std::span<const std::byte> stream, std::size_t piece_size_bytes) {
  PackIngest ingest(packs_, *this, *this);
  while (!stream.empty()) {
    const auto piece = stream.first(std::min(piece_size_bytes, stream.size()));
    ingest.append(piece);
    stream = stream.subspan(piece.size());
  }
  ingest.finish();
}

Depot::Push Depot::push(const std::vector<std::vector<std::byte>>& blobs) {
  PackIngest ingest(packs_, *this, *this);
  IngestTarget target(ingest);
  BlobWriter writer(target, *this);
  Push push;
  for (const auto& blob : blobs) {
    writer.append(blob);
    push.digests.push_back(writer.end_blob());
  }
  writer.flush();
  ingest.finish();
  push.chunk_bytes_new = writer.chunk_bytes_new();
  push.pack_bytes = writer.pack_bytes();
  return push;
}

std::vector<std::byte> Depot::read(const Digest& blob) {
  const BlobLocation& location = blobs_.at(blob);
  BlobReader reader(packs_, location, 0, location.size_bytes);
  std::vector<std::byte> bytes(location.size_bytes + 1);
  bytes.resize(reader.read(bytes));
  return bytes;
}

std::vector<std::optional<Digest>> Depot::find(std::span<const Digest> digests) {
  std::vector<std::optional<Digest>> found;
  for (const Digest& digest : digests) {
    const auto known = chunks_.find(digest);
    found.push_back(known == chunks_.end() ? std::nullopt : std::optional(known->second));
  }
  return found;
}

void Depot::pack_stored(IngestedPack pack) {
  const Digest& name = pack.index->name();
  pack_names_.insert(name);
  for (const RecordLocation& record : pack.index->records()) {
    const RecordType type = record.header.type;
    if (type == RecordType::chunk || type == RecordType::blob) {
      chunks_.emplace(record.header.digest, name);
    }
  }
  for (const StoredBlob& blob : pack.blobs) {
    blobs_.emplace(blob.digest,
                   BlobLocation{blob.digest, blob.size_bytes, name, blob.recipe});
  }
  manifests_.insert(pack.manifests.begin(), pack.manifests.end());
}

}  // namespace mendel::testing
