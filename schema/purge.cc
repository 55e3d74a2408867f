#include "schema/purge.h"

#include <iterator>
#include <sstream>

#include "schema/transaction.h"

namespace mendel::schema {

namespace {

// Two advisory locks: the first is between those who write blob rows and those who take
// them away, for one short transaction; the second makes a purger the only one, for as long
// as its transaction is open.
constexpr Statement kHoldOffPurges{"hold_off_purges", R"sql(
    select pg_advisory_xact_lock_shared(120282411197805)
  )sql"};

constexpr Statement kHoldOffWriters{"hold_off_writers", R"sql(
    select pg_advisory_xact_lock(120282411197805)
  )sql"};

constexpr Statement kBecomePurger{"try_to_be_the_purger", R"sql(
    select pg_try_advisory_xact_lock(120282411197806) as mine
  )sql"};

constexpr Statement kKeepOpen{"keep_open", "select"};

constexpr Statement kCountRewrites{"count_rewrites", R"sql(
    select coalesce((select count from pack_rewrite where namespace_id = $1), 0) as count
  )sql"};

constexpr Statement kAddRewrite{"add_rewrite", R"sql(
    insert into pack_rewrite (namespace_id, count) values ($1, 1)
    on conflict on constraint pack_rewrite_pk
    do update set count = pack_rewrite.count + 1
  )sql"};

constexpr Statement kFindTombstones{"find_tombstones", R"sql(
    select digest, size_bytes, purged_at, purged_by, reason,
           $1::bigint = any (namespaces) as was_here
      from tombstone where digest = any ($2::bytea[])
     order by digest
  )sql"};

constexpr Statement kListTombstones{"list_tombstones", R"sql(
    select digest, size_bytes, purged_at, purged_by, reason, true as was_here
      from tombstone where namespaces @> array[$1::bigint]
     limit $2
  )sql"};

// Namespace by namespace, because the rows of blobs are found by namespace and digest.
constexpr Statement kInsertTombstones{"insert_tombstones", R"sql(
    insert into tombstone (digest, size_bytes, purged_by, reason, namespaces)
    select b.digest, max(b.size_bytes), $2, $3, array_agg(b.namespace_id)
      from namespace n
      join blob b on b.namespace_id = n.id and b.digest = any ($1::bytea[])
     group by b.digest
     order by b.digest
    on conflict on constraint tombstone_pk do nothing
  )sql"};

constexpr Statement kReopenTombstones{"reopen_tombstones", R"sql(
    update tombstone set listed_at = null, completed_at = null
     where digest = any ($1::bytea[])
  )sql"};

constexpr Statement kDeletePurgedBlobs{"delete_purged_blobs", R"sql(
    delete from blob b using namespace n
     where b.namespace_id = n.id and b.digest = any ($1::bytea[])
  )sql"};

constexpr Statement kListBlobHolders{"list_blob_holders", R"sql(
    select b.digest, b.size_bytes, n.id as namespace_id, n.name as namespace_name
      from namespace n
      join blob b on b.namespace_id = n.id and b.digest = any ($1::bytea[])
    union
    select t.digest, t.size_bytes, n.id, n.name
      from tombstone t join namespace n on n.id = any (t.namespaces)
     where t.digest = any ($1::bytea[])
     order by digest, namespace_name
  )sql"};

constexpr Statement kFindManifestsAmong{"find_manifests_among", R"sql(
    select distinct m.digest
      from namespace n
      join manifest m on m.namespace_id = n.id and m.digest = any ($1::bytea[])
  )sql"};

constexpr Statement kListManifestUsers{"list_manifest_users", R"sql(
    with recursive holder (id, prefix) as (
        select v.id, ''
          from artifact a join version v on v.artifact_id = a.id
         where a.namespace_id = $1 and v.digest = $2 and v.state <> 'deleted'
        union
        select s.id, e.name || '/' || h.prefix
          from holder h
          join pedigree_edge e on e.target_id = h.id and e.role = 'component'
          join version s on s.id = e.version_id and s.state <> 'deleted'
    )
    select n.name || '/' || a.name as artifact, v.number, v.state, h.prefix,
           (select string_agg(l.name, ' ' order by l.folded_name)
              from alias l where l.version_id = v.id) as aliases
      from holder h
      join version v on v.id = h.id
      join artifact a on a.id = v.artifact_id
      join namespace n on n.id = a.namespace_id
     order by n.name, a.name, v.number, h.prefix
  )sql"};

constexpr Statement kListUnfinished{"list_unfinished_tombstones", R"sql(
    select digest, listed_at is not null as is_listed
      from tombstone where completed_at is null
     order by digest
  )sql"};

constexpr Statement kMarkListed{"mark_listed", R"sql(
    update tombstone set listed_at = now() where digest = any ($1::bytea[])
  )sql"};

constexpr Statement kMarkCompleted{"mark_completed", R"sql(
    update tombstone set completed_at = now() where digest = any ($1::bytea[])
  )sql"};

constexpr Statement kForgetPurgeRecords{"forget_purge_records", R"sql(
    delete from purge_record
  )sql"};

constexpr Statement kInsertPurgeRecords{"insert_purge_records", R"sql(
    insert into purge_record (digest) select distinct unnest($1::bytea[])
    on conflict on constraint purge_record_pk do nothing
  )sql"};

constexpr Statement kListPurgeRecords{"list_purge_records", R"sql(
    select digest from purge_record
     where $1::bytea is null or digest > $1
     order by digest
     limit $2
  )sql"};

constexpr Statement kNewestPackId{"newest_pack_id", R"sql(
    select coalesce(max(id), 0) as id from pack where namespace_id = $1
  )sql"};

constexpr Statement kListPacksAfter{"list_packs_after", R"sql(
    select name from pack where namespace_id = $1 and id > $2 order by id
  )sql"};

constexpr Statement kListBlobsInPack{"list_blobs_in_pack", R"sql(
    select b.digest, b.size_bytes, b.recipe
      from pack p join blob b on b.pack_id = p.id
     where p.namespace_id = $1 and p.name = $2
  )sql"};

constexpr Statement kFindPackOf{"find_pack_of", R"sql(
    select id from pack where namespace_id = $1 and name = $2
  )sql"};

constexpr Statement kRenamePack{"rename_pack", R"sql(
    update pack set name = $2, size_bytes = $3, record_count = $4, hooks = $5::bigint[]
     where id = $1
  )sql"};

constexpr Statement kMoveBlobs{"move_blobs", R"sql(
    update blob set pack_id = $2 where pack_id = $1
  )sql"};

constexpr Statement kMoveManifests{"move_manifests", R"sql(
    update manifest set pack_id = $2 where pack_id = $1
  )sql"};

constexpr Statement kCopyUploadPacks{"copy_upload_packs", R"sql(
    insert into upload_pack (upload_id, pack_id)
    select upload_id, $2::bigint from upload_pack where pack_id = $1
    on conflict on constraint upload_pack_pk do nothing
  )sql"};

constexpr Statement kDeleteUploadPacks{"delete_upload_packs", R"sql(
    delete from upload_pack where pack_id = $1
  )sql"};

constexpr Statement kDeletePack{"delete_pack", R"sql(
    delete from pack where id = $1
  )sql"};

constexpr Statement kInsertPackMove{"insert_pack_move", R"sql(
    insert into pack_move (namespace_id, name, new_name) values ($1, $2, $3)
  )sql"};

constexpr Statement kListPackMoves{"list_pack_moves", R"sql(
    select namespace_id, name, new_name from pack_move order by namespace_id, name
  )sql"};

constexpr Statement kDeletePackMove{"delete_pack_move", R"sql(
    delete from pack_move where namespace_id = $1 and name = $2
  )sql"};

std::vector<TombstoneRow> read_tombstones(const Rows& rows) {
  std::vector<TombstoneRow> tombstones;
  for (const auto& row : rows) {
    tombstones.push_back({at<Digest>(row, "digest"), at<std::int64_t>(row, "size_bytes"),
                          at<Timestamp>(row, "purged_at"),
                          at<std::string>(row, "purged_by"), at<std::string>(row, "reason"),
                          at<bool>(row, "was_here")});
  }
  return tombstones;
}

std::vector<Digest> read_digests(const Rows& rows, const char* column) {
  std::vector<Digest> digests;
  for (const auto& row : rows) digests.push_back(at<Digest>(row, column));
  return digests;
}

std::vector<std::string> words_of(const std::optional<std::string>& text) {
  std::istringstream stream(text.value_or(""));
  return {std::istream_iterator<std::string>(stream), {}};
}

std::optional<std::int64_t> find_pack_of(Transaction& tx, std::int64_t ns,
                                         const Digest& name) {
  const auto row = tx.exec_optional(kFindPackOf, ns, name);
  if (!row) return std::nullopt;
  return at<std::int64_t>(*row, "id");
}

}  // namespace

void hold_off_purges(Transaction& tx) { tx.exec(kHoldOffPurges); }
void hold_off_writers(Transaction& tx) { tx.exec(kHoldOffWriters); }

bool try_to_be_the_purger(Transaction& tx) {
  return at<bool>(tx.exec_one(kBecomePurger), "mine");
}

void keep_open(Transaction& tx) { tx.exec(kKeepOpen); }

std::int64_t count_rewrites(Transaction& tx, std::int64_t ns) {
  return at<std::int64_t>(tx.exec_one(kCountRewrites, ns), "count");
}

void add_rewrite(Transaction& tx, std::int64_t ns) { tx.exec(kAddRewrite, ns); }

std::vector<TombstoneRow> find_tombstones(Transaction& tx, std::int64_t ns,
                                          std::span<const Digest> digests) {
  return read_tombstones(tx.exec(kFindTombstones, ns, array_of(digests)));
}

std::vector<TombstoneRow> list_tombstones(Transaction& tx, std::int64_t ns,
                                          std::int64_t limit) {
  return read_tombstones(tx.exec(kListTombstones, ns, limit));
}

void insert_tombstones(Transaction& tx, std::span<const Digest> digests,
                       const std::string& purged_by, const std::string& reason) {
  const auto asked = array_of(digests);
  tx.exec(kInsertTombstones, asked, purged_by, reason);
  tx.exec(kReopenTombstones, asked);
  tx.exec(kDeletePurgedBlobs, asked);
}

std::vector<BlobHolderRow> list_blob_holders(Transaction& tx,
                                             std::span<const Digest> digests) {
  std::vector<BlobHolderRow> holders;
  for (const auto& row : tx.exec(kListBlobHolders, array_of(digests))) {
    holders.push_back({at<Digest>(row, "digest"), at<std::int64_t>(row, "size_bytes"),
                       at<std::int64_t>(row, "namespace_id"),
                       at<std::string>(row, "namespace_name")});
  }
  return holders;
}

std::vector<Digest> find_manifests_among(Transaction& tx, std::span<const Digest> digests) {
  return read_digests(tx.exec(kFindManifestsAmong, array_of(digests)), "digest");
}

std::vector<ManifestUserRow> list_manifest_users(Transaction& tx, std::int64_t ns,
                                                 const Digest& manifest) {
  std::vector<ManifestUserRow> users;
  for (const auto& row : tx.exec(kListManifestUsers, ns, manifest)) {
    users.push_back({at<std::string>(row, "artifact"), at<std::int32_t>(row, "number"),
                     at<std::string>(row, "state"), at<std::string>(row, "prefix"),
                     words_of(at<std::optional<std::string>>(row, "aliases"))});
  }
  return users;
}

std::vector<UnfinishedRow> list_unfinished_tombstones(Transaction& tx) {
  std::vector<UnfinishedRow> unfinished;
  for (const auto& row : tx.exec(kListUnfinished)) {
    unfinished.push_back({at<Digest>(row, "digest"), at<bool>(row, "is_listed")});
  }
  return unfinished;
}

void mark_listed(Transaction& tx, std::span<const Digest> digests) {
  tx.exec(kMarkListed, array_of(digests));
}

void mark_completed(Transaction& tx, std::span<const Digest> digests) {
  tx.exec(kMarkCompleted, array_of(digests));
  tx.exec(kForgetPurgeRecords);
}

void insert_purge_records(Transaction& tx, std::span<const Digest> digests) {
  tx.exec(kInsertPurgeRecords, array_of(digests));
}

std::vector<Digest> list_purge_records(Transaction& tx, const std::optional<Digest>& after,
                                       std::int64_t limit) {
  return read_digests(tx.exec(kListPurgeRecords, after, limit), "digest");
}

std::int64_t newest_pack_id(Transaction& tx, std::int64_t ns) {
  return at<std::int64_t>(tx.exec_one(kNewestPackId, ns), "id");
}

std::vector<Digest> list_packs_after(Transaction& tx, std::int64_t ns, std::int64_t id) {
  return read_digests(tx.exec(kListPacksAfter, ns, id), "name");
}

std::vector<BlobRow> list_blobs_in_pack(Transaction& tx, std::int64_t ns,
                                        const Digest& name) {
  std::vector<BlobRow> blobs;
  for (const auto& row : tx.exec(kListBlobsInPack, ns, name)) {
    blobs.push_back({at<Digest>(row, "digest"), at<std::int64_t>(row, "size_bytes"),
                     at<std::optional<Digest>>(row, "recipe")});
  }
  return blobs;
}

void replace_pack(Transaction& tx, std::int64_t ns, const Digest& name,
                  const std::optional<PackRow>& successor) {
  const auto id = find_pack_of(tx, ns, name);
  if (!id) return;
  if (successor) {
    const auto other = find_pack_of(tx, ns, successor->name);
    if (!other) {
      tx.exec(kRenamePack, *id, successor->name, successor->size_bytes,
              successor->record_count, array_of(successor->hooks));
      return;
    }
    tx.exec(kMoveBlobs, *id, *other);
    tx.exec(kMoveManifests, *id, *other);
    tx.exec(kCopyUploadPacks, *id, *other);
  }
  tx.exec(kDeleteUploadPacks, *id);
  tx.exec(kDeletePack, *id);
}

void insert_pack_move(Transaction& tx, const PackMoveRow& move) {
  tx.exec(kInsertPackMove, move.namespace_id, move.name, move.new_name);
}

std::vector<PackMoveRow> list_pack_moves(Transaction& tx) {
  std::vector<PackMoveRow> moves;
  for (const auto& row : tx.exec(kListPackMoves)) {
    moves.push_back({at<std::int64_t>(row, "namespace_id"), at<Digest>(row, "name"),
                     at<std::optional<Digest>>(row, "new_name")});
  }
  return moves;
}

void delete_pack_move(Transaction& tx, const PackMoveRow& move) {
  tx.exec(kDeletePackMove, move.namespace_id, move.name);
}

}  // namespace mendel::schema
