#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "schema/content.h"
#include "schema/database.h"
#include "storage/base/clock.h"
#include "storage/base/digest.h"

namespace mendel::schema {

// Statements about tombstones, and about the packs that are rewritten because of them
// (storage/DESIGN.md, Purging). A namespace is its id.

// --- Who waits for whom -----------------------------------------------------------------

// Until the transaction ends: no tombstone is set and no pack's row changes. Whoever writes
// blob rows calls this first. Others that call it do not wait for each other.
void hold_off_purges(Transaction& tx);

// Until the transaction ends: nobody who has called hold_off_purges(), and nobody new.
void hold_off_writers(Transaction& tx);

// Whether this transaction is now the only one, of all servers, that purges. False: another
// is.
bool try_to_be_the_purger(Transaction& tx);

// Asks nothing of the server but to keep the transaction open.
void keep_open(Transaction& tx);

std::int64_t count_rewrites(Transaction& tx, std::int64_t ns);
void add_rewrite(Transaction& tx, std::int64_t ns);

// --- Tombstones -------------------------------------------------------------------------

struct TombstoneRow {
  Digest digest;
  std::int64_t size_bytes = 0;
  Timestamp purged_at;
  std::string purged_by;
  std::string reason;
  bool was_here = false;  // the namespace that was asked for had the blob
};

// Those of the digests that have one.
std::vector<TombstoneRow> find_tombstones(Transaction& tx, std::int64_t ns,
                                          std::span<const Digest> digests);

// Those of blobs that the namespace had.
std::vector<TombstoneRow> list_tombstones(Transaction& tx, std::int64_t ns,
                                          std::int64_t limit);

// Says that blobs are gone, and takes their rows away in all namespaces. A tombstone that
// is there keeps what it says, and is work to be done again.
void insert_tombstones(Transaction& tx, std::span<const Digest> digests,
                       const std::string& purged_by, const std::string& reason);

// Which namespaces have a blob, by rows or, once purged, by its tombstone. By digest.
struct BlobHolderRow {
  Digest digest;
  std::int64_t size_bytes = 0;
  std::int64_t namespace_id = 0;
  std::string namespace_name;
};
std::vector<BlobHolderRow> list_blob_holders(Transaction& tx,
                                             std::span<const Digest> digests);

// Those of the digests that name a manifest of some namespace.
std::vector<Digest> find_manifests_among(Transaction& tx, std::span<const Digest> digests);

// Versions that have not been deleted, of one namespace, by their manifest; and the model
// sets, of whatever namespaces, that they are components of, once for each time.
struct ManifestUserRow {
  std::string artifact;  // "lhcb/x"
  std::int32_t number = 0;
  std::string state;
  std::string prefix;  // of the manifest's paths in a model set: "tracking/"
  std::vector<std::string> aliases;
};
std::vector<ManifestUserRow> list_manifest_users(Transaction& tx, std::int64_t ns,
                                                 const Digest& manifest);

// --- Removing the bytes -----------------------------------------------------------------

struct UnfinishedRow {
  Digest digest;
  bool is_listed = false;
};
std::vector<UnfinishedRow> list_unfinished_tombstones(Transaction& tx);
void mark_listed(Transaction& tx, std::span<const Digest> digests);

// Also forgets all purge records.
void mark_completed(Transaction& tx, std::span<const Digest> digests);

void insert_purge_records(Transaction& tx, std::span<const Digest> digests);
std::vector<Digest> list_purge_records(Transaction& tx, const std::optional<Digest>& after,
                                       std::int64_t limit);

// The row of the newest pack; 0 without any.
std::int64_t newest_pack_id(Transaction& tx, std::int64_t ns);
std::vector<Digest> list_packs_after(Transaction& tx, std::int64_t ns, std::int64_t id);

// The blobs, of whatever namespaces, that lie in a pack of ns.
std::vector<BlobRow> list_blobs_in_pack(Transaction& tx, std::int64_t ns,
                                        const Digest& name);

// The pack's row, if there is one, is that of its successor from now on, and so are all
// rows that lie in it; without a successor it goes, and so must they.
void replace_pack(Transaction& tx, std::int64_t ns, const Digest& name,
                  const std::optional<PackRow>& successor);

struct PackMoveRow {
  std::int64_t namespace_id = 0;
  Digest name;
  std::optional<Digest> new_name;
};
void insert_pack_move(Transaction& tx, const PackMoveRow& move);
std::vector<PackMoveRow> list_pack_moves(Transaction& tx);
void delete_pack_move(Transaction& tx, const PackMoveRow& move);

}  // namespace mendel::schema
