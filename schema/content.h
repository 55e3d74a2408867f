#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "schema/database.h"
#include "storage/base/clock.h"
#include "storage/base/digest.h"

namespace mendel::schema {

// Statements about packs, blobs, manifests and uploads. A namespace is its id.

struct PackRow {
  Digest name;
  std::int64_t size_bytes = 0;
  std::int32_t record_count = 0;
  std::vector<std::int64_t> hooks;
};

// A blob that lies in the pack beside which it is handed in.
struct BlobRow {
  Digest digest;
  std::int64_t size_bytes = 0;
  std::optional<Digest> recipe;
};

struct ManifestRow {
  Digest digest;
  std::int64_t size_bytes = 0;
};

// Where the blob's bytes are: in a pack of pack_namespace, which is another namespace than
// the one that was asked where the blob was attached.
struct BlobPlaceRow {
  Digest digest;
  std::int64_t size_bytes = 0;
  std::optional<Digest> recipe;
  std::int64_t pack_namespace = 0;
  Digest pack;
};

struct ManifestPlaceRow {
  std::int64_t pack_namespace = 0;
  Digest pack;
};

// Returns the pack's id; a pack that has its row already keeps it.
std::int64_t insert_pack_if_absent(Transaction& tx, std::int64_t ns, const PackRow& pack);

// Those that the namespace has already stay where they are.
void insert_blobs(Transaction& tx, std::int64_t ns, std::int64_t pack_id,
                  std::span<const BlobRow> blobs);
void insert_manifests(Transaction& tx, std::int64_t ns, std::int64_t pack_id,
                      std::span<const ManifestRow> manifests);

// Gives ns the blobs of another namespace. The first that neither from nor ns has, if any.
std::optional<Digest> attach_blobs(Transaction& tx, std::int64_t ns, std::int64_t from,
                                   std::span<const Digest> digests);

std::optional<BlobPlaceRow> find_blob(Transaction& tx, std::int64_t ns,
                                      const Digest& digest);

// In any order; absent ones are left out.
std::vector<BlobPlaceRow> find_blobs(Transaction& tx, std::int64_t ns,
                                     std::span<const Digest> digests);

// For each digest the blob's size, in order; nullopt where the namespace does not have it.
std::vector<std::optional<std::int64_t>> find_blob_sizes(Transaction& tx, std::int64_t ns,
                                                         std::span<const Digest> digests);

std::optional<ManifestPlaceRow> find_manifest(Transaction& tx, std::int64_t ns,
                                              const Digest& digest);

bool has_pack(Transaction& tx, std::int64_t ns, const Digest& name);

// The names of up to limit packs of the namespace that have any of the hooks, those with
// the most of them first.
std::vector<Digest> find_packs_by_hooks(Transaction& tx, std::int64_t ns,
                                        std::span<const std::int64_t> hooks,
                                        std::int32_t limit);

struct UploadRow {
  std::string id;  // a UUID
  std::int64_t namespace_id = 0;
  std::optional<std::int64_t> principal_id;
  Timestamp created_at;
  Timestamp expires_at;
};

struct UploadPackRow {
  Digest name;
  std::int64_t size_bytes = 0;
};

void insert_upload(Transaction& tx, const UploadRow& upload);

// Of this namespace, not expired at now.
std::optional<UploadRow> find_upload(Transaction& tx, std::int64_t ns, std::string_view id,
                                     Timestamp now);
bool delete_upload(Transaction& tx, std::int64_t ns, std::string_view id);

// The upload was deleted meanwhile: already_exists, by the constraint's name.
void insert_upload_pack(Transaction& tx, std::string_view upload_id, std::int64_t pack_id);

// Newest first.
std::vector<UploadPackRow> list_upload_packs(Transaction& tx, std::string_view upload_id,
                                             std::int32_t limit);

// For making rows again from the object store: the namespaces there are, and the manifests
// that versions and kept checkpoints of one name.
std::vector<std::int64_t> list_namespace_ids(Transaction& tx);
std::vector<Digest> list_version_manifests(Transaction& tx, std::int64_t ns);

// Gives ns the blob of whichever namespace has it, and returns whether any has. Only for
// what a version of ns names: that it may have the blob was found out when it was
// published.
bool attach_blob_again(Transaction& tx, std::int64_t ns, const Digest& digest);

}  // namespace mendel::schema
