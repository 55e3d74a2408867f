#include "registry/services/pack_rows.h"

#include <vector>

#include "schema/content.h"
#include "storage/sparse_index.h"

namespace mendel::registry {

std::int64_t insert_pack_rows(schema::Transaction& tx, NamespaceId ns,
                              const storage::PackIndex& pack,
                              std::span<const storage::StoredBlob> blobs,
                              std::span<const Digest> manifests) {
  const std::int64_t pack_id = schema::insert_pack_if_absent(
      tx, ns,
      {pack.name(), static_cast<std::int64_t>(pack.pack_size_bytes()),
       static_cast<std::int32_t>(pack.records().size()), storage::hooks_of(pack)});

  std::vector<schema::BlobRow> blob_rows;
  blob_rows.reserve(blobs.size());
  for (const storage::StoredBlob& blob : blobs) {
    blob_rows.push_back(
        {blob.digest, static_cast<std::int64_t>(blob.size_bytes), blob.recipe});
  }
  schema::insert_blobs(tx, ns, pack_id, blob_rows);

  std::vector<schema::ManifestRow> manifest_rows;
  manifest_rows.reserve(manifests.size());
  for (const Digest& digest : manifests) {
    const auto* record = pack.find(storage::RecordType::manifest, digest);
    manifest_rows.push_back({digest, record->header.raw_size_bytes});
  }
  schema::insert_manifests(tx, ns, pack_id, manifest_rows);
  return pack_id;
}

}  // namespace mendel::registry
