#include "schema/content.h"

#include <unordered_map>

#include "schema/transaction.h"

namespace mendel::schema {

namespace {

constexpr Statement kInsertPack{"insert_pack_if_absent", R"sql(
    insert into pack (namespace_id, name, size_bytes, record_count, hooks)
    values ($1, $2, $3, $4, $5::bigint[])
    on conflict on constraint pack_name_is_unique do nothing
    returning id
  )sql"};

constexpr Statement kFindPackId{"find_pack_id", R"sql(
    select id from pack where namespace_id = $1 and name = $2
  )sql"};

// Sorted, so that two transactions that insert the same blobs wait for each other and do
// not deadlock, and so that neighbours in the index are written together.
constexpr Statement kInsertBlobs{"insert_blobs", R"sql(
    insert into blob (namespace_id, digest, size_bytes, pack_id, recipe)
    select $1::bigint, digest, size_bytes, $2::bigint, recipe
      from unnest($3::bytea[], $4::bigint[], $5::bytea[]) as new (digest, size_bytes, recipe)
     order by digest
    on conflict on constraint blob_pk do nothing
  )sql"};

constexpr Statement kInsertManifests{"insert_manifests", R"sql(
    insert into manifest (namespace_id, digest, size_bytes, pack_id)
    select $1::bigint, digest, size_bytes, $2::bigint
      from unnest($3::bytea[], $4::bigint[]) as new (digest, size_bytes)
     order by digest
    on conflict on constraint manifest_pk do nothing
  )sql"};

constexpr Statement kAttachBlobs{"attach_blobs", R"sql(
    insert into blob (namespace_id, digest, size_bytes, pack_id, recipe)
    select $1::bigint, digest, size_bytes, pack_id, recipe
      from blob where namespace_id = $2::bigint and digest = any ($3::bytea[])
     order by digest
    on conflict on constraint blob_pk do nothing
  )sql"};

constexpr Statement kFindBlob{"find_blob", R"sql(
    select b.digest, b.size_bytes, b.recipe, p.namespace_id as pack_namespace, p.name as pack
      from blob b join pack p on p.id = b.pack_id
     where b.namespace_id = $1 and b.digest = $2
  )sql"};

constexpr Statement kFindBlobs{"find_blobs", R"sql(
    select b.digest, b.size_bytes, b.recipe, p.namespace_id as pack_namespace, p.name as pack
      from blob b join pack p on p.id = b.pack_id
     where b.namespace_id = $1 and b.digest = any ($2::bytea[])
  )sql"};

constexpr Statement kFindBlobSizes{"find_blob_sizes", R"sql(
    select b.size_bytes
      from unnest($2::bytea[]) with ordinality as asked (digest, position)
      left join blob b on b.namespace_id = $1 and b.digest = asked.digest
     order by asked.position
  )sql"};

constexpr Statement kFindManifest{"find_manifest", R"sql(
    select p.namespace_id as pack_namespace, p.name as pack
      from manifest m join pack p on p.id = m.pack_id
     where m.namespace_id = $1 and m.digest = $2
  )sql"};

constexpr Statement kFindPacksByHooks{"find_packs_by_hooks", R"sql(
    select name
      from pack
     where namespace_id = $1 and hooks && $2::bigint[]
     order by (select count(*) from unnest(hooks) as hook where hook = any ($2::bigint[])) desc,
              id desc
     limit $3
  )sql"};

constexpr Statement kInsertUpload{"insert_upload", R"sql(
    insert into upload (id, namespace_id, principal_id, created_at, expires_at)
    values ($1, $2, $3, $4, $5)
  )sql"};

constexpr Statement kFindUpload{"find_upload", R"sql(
    select id::text, namespace_id, principal_id, created_at, expires_at
      from upload where id = $1 and namespace_id = $2 and expires_at > $3
  )sql"};

constexpr Statement kDeleteUpload{"delete_upload", R"sql(
    delete from upload where id = $1 and namespace_id = $2
  )sql"};

constexpr Statement kInsertUploadPack{"insert_upload_pack", R"sql(
    insert into upload_pack (upload_id, pack_id) values ($1, $2)
    on conflict on constraint upload_pack_pk do nothing
  )sql"};

constexpr Statement kListUploadPacks{"list_upload_packs", R"sql(
    select p.name, p.size_bytes
      from upload_pack u join pack p on p.id = u.pack_id
     where u.upload_id = $1
     order by p.id desc
     limit $2
  )sql"};

constexpr Statement kListNamespaceIds{"list_namespace_ids", R"sql(
    select id from namespace order by id
  )sql"};

constexpr Statement kListVersionManifests{"list_version_manifests", R"sql(
    select v.digest
      from version v join artifact a on a.id = v.artifact_id
     where a.namespace_id = $1
     union
    select c.digest from run_checkpoint c where c.namespace_id = $1 and c.state = 'kept'
     order by digest
  )sql"};

constexpr Statement kAttachBlobAgain{"attach_blob_again", R"sql(
    insert into blob (namespace_id, digest, size_bytes, pack_id, recipe)
    select $1::bigint, digest, size_bytes, pack_id, recipe
      from blob where digest = $2 order by namespace_id limit 1
    on conflict on constraint blob_pk do nothing
  )sql"};

BlobPlaceRow read_blob_place(const Row& row) {
  return {at<Digest>(row, "digest"), at<std::int64_t>(row, "size_bytes"),
          at<std::optional<Digest>>(row, "recipe"), at<std::int64_t>(row, "pack_namespace"),
          at<Digest>(row, "pack")};
}

}  // namespace

std::int64_t insert_pack_if_absent(Transaction& tx, std::int64_t ns, const PackRow& pack) {
  if (const auto inserted = tx.exec_optional(kInsertPack, ns, pack.name, pack.size_bytes,
                                             pack.record_count, array_of(pack.hooks))) {
    return at<std::int64_t>(*inserted, "id");
  }
  return at<std::int64_t>(tx.exec_one(kFindPackId, ns, pack.name), "id");
}

void insert_blobs(Transaction& tx, std::int64_t ns, std::int64_t pack_id,
                  std::span<const BlobRow> blobs) {
  if (blobs.empty()) return;
  tx.exec(kInsertBlobs, ns, pack_id, array_of(blobs, &BlobRow::digest),
          array_of(blobs, &BlobRow::size_bytes), array_of(blobs, &BlobRow::recipe));
}

void insert_manifests(Transaction& tx, std::int64_t ns, std::int64_t pack_id,
                      std::span<const ManifestRow> manifests) {
  if (manifests.empty()) return;
  tx.exec(kInsertManifests, ns, pack_id, array_of(manifests, &ManifestRow::digest),
          array_of(manifests, &ManifestRow::size_bytes));
}

std::optional<Digest> attach_blobs(Transaction& tx, std::int64_t ns, std::int64_t from,
                                   std::span<const Digest> digests) {
  tx.exec(kAttachBlobs, ns, from, array_of(digests));
  const auto sizes = find_blob_sizes(tx, ns, digests);
  for (std::size_t i = 0; i < digests.size(); ++i) {
    if (!sizes[i]) return digests[i];
  }
  return std::nullopt;
}

std::optional<BlobPlaceRow> find_blob(Transaction& tx, std::int64_t ns,
                                      const Digest& digest) {
  const auto row = tx.exec_optional(kFindBlob, ns, digest);
  if (!row) return std::nullopt;
  return read_blob_place(*row);
}

std::vector<BlobPlaceRow> find_blobs(Transaction& tx, std::int64_t ns,
                                     std::span<const Digest> digests) {
  std::vector<BlobPlaceRow> found;
  for (const auto& row : tx.exec(kFindBlobs, ns, array_of(digests))) {
    found.push_back(read_blob_place(row));
  }
  return found;
}

std::vector<std::optional<std::int64_t>> find_blob_sizes(Transaction& tx, std::int64_t ns,
                                                         std::span<const Digest> digests) {
  std::vector<std::optional<std::int64_t>> sizes;
  sizes.reserve(digests.size());
  for (const auto& row : tx.exec(kFindBlobSizes, ns, array_of(digests))) {
    sizes.push_back(at<std::optional<std::int64_t>>(row, "size_bytes"));
  }
  return sizes;
}

std::optional<ManifestPlaceRow> find_manifest(Transaction& tx, std::int64_t ns,
                                              const Digest& digest) {
  const auto row = tx.exec_optional(kFindManifest, ns, digest);
  if (!row) return std::nullopt;
  return ManifestPlaceRow{at<std::int64_t>(*row, "pack_namespace"),
                          at<Digest>(*row, "pack")};
}

bool has_pack(Transaction& tx, std::int64_t ns, const Digest& name) {
  return tx.exec_optional(kFindPackId, ns, name).has_value();
}

std::vector<Digest> find_packs_by_hooks(Transaction& tx, std::int64_t ns,
                                        std::span<const std::int64_t> hooks,
                                        std::int32_t limit) {
  std::vector<Digest> names;
  if (hooks.empty()) return names;
  for (const auto& row : tx.exec(kFindPacksByHooks, ns, array_of(hooks), limit)) {
    names.push_back(at<Digest>(row, "name"));
  }
  return names;
}

void insert_upload(Transaction& tx, const UploadRow& upload) {
  tx.exec(kInsertUpload, upload.id, upload.namespace_id, upload.principal_id,
          upload.created_at, upload.expires_at);
}

std::optional<UploadRow> find_upload(Transaction& tx, std::int64_t ns, std::string_view id,
                                     Timestamp now) {
  const auto row = tx.exec_optional(kFindUpload, id, ns, now);
  if (!row) return std::nullopt;
  return UploadRow{at<std::string>(*row, "id"), at<std::int64_t>(*row, "namespace_id"),
                   at<std::optional<std::int64_t>>(*row, "principal_id"),
                   at<Timestamp>(*row, "created_at"), at<Timestamp>(*row, "expires_at")};
}

bool delete_upload(Transaction& tx, std::int64_t ns, std::string_view id) {
  return tx.exec_counting(kDeleteUpload, id, ns) == 1;
}

void insert_upload_pack(Transaction& tx, std::string_view upload_id, std::int64_t pack_id) {
  tx.exec(kInsertUploadPack, upload_id, pack_id);
}

std::vector<UploadPackRow> list_upload_packs(Transaction& tx, std::string_view upload_id,
                                             std::int32_t limit) {
  std::vector<UploadPackRow> packs;
  for (const auto& row : tx.exec(kListUploadPacks, upload_id, limit)) {
    packs.push_back({at<Digest>(row, "name"), at<std::int64_t>(row, "size_bytes")});
  }
  return packs;
}

std::vector<std::int64_t> list_namespace_ids(Transaction& tx) {
  std::vector<std::int64_t> ids;
  for (const auto& row : tx.exec(kListNamespaceIds)) {
    ids.push_back(at<std::int64_t>(row, "id"));
  }
  return ids;
}

std::vector<Digest> list_version_manifests(Transaction& tx, std::int64_t ns) {
  std::vector<Digest> digests;
  for (const auto& row : tx.exec(kListVersionManifests, ns)) {
    digests.push_back(at<Digest>(row, "digest"));
  }
  return digests;
}

bool attach_blob_again(Transaction& tx, std::int64_t ns, const Digest& digest) {
  return tx.exec_counting(kAttachBlobAgain, ns, digest) == 1;
}

}  // namespace mendel::schema
