#include "registry/services/pack_rows.h"

#include <vector>

#include "schema/content.h"
#include "schema/purge.h"
#include "storage/base/error.h"
#include "storage/sparse_index.h"

namespace mendel::registry {

namespace {

void require_nothing_purged(schema::Transaction& tx, NamespaceId ns,
                            std::span<const storage::StoredBlob> blobs,
                            std::optional<RewriteCount> seen) {
  schema::hold_off_purges(tx);
  if (seen && *seen != schema::count_rewrites(tx, ns)) {
    throw Error(ErrorCode::aborted,
                "stored bytes were purged while this was being written: send it again");
  }
  std::vector<Digest> digests;
  for (const storage::StoredBlob& blob : blobs) digests.push_back(blob.digest);
  const auto purged = schema::find_tombstones(tx, ns, digests);
  if (!purged.empty()) {
    throw Error(ErrorCode::aborted, "blob " + purged.front().digest.to_string() +
                                        " was purged while it was being written");
  }
}

}  // namespace

RewriteCount count_rewrites(schema::Database& database, NamespaceId ns) {
  return database.read("count rewritten packs", [&](schema::Transaction& tx) {
    return schema::count_rewrites(tx, ns);
  });
}

std::int64_t insert_pack_rows(schema::Transaction& tx, NamespaceId ns,
                              const storage::PackIndex& pack,
                              std::span<const storage::StoredBlob> blobs,
                              std::span<const Digest> manifests,
                              std::optional<RewriteCount> seen) {
  require_nothing_purged(tx, ns, blobs, seen);
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
