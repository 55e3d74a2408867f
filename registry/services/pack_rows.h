#pragma once

#include <cstdint>
#include <span>

#include "registry/services/caller.h"
#include "schema/database.h"
#include "storage/base/digest.h"
#include "storage/pack.h"

namespace mendel::registry {

// Writes the rows that name a pack and what is found in it, within one transaction. The
// pack itself *must* be durable before. Repeating it changes nothing. Returns the pack's
// id.
std::int64_t insert_pack_rows(schema::Transaction& tx, NamespaceId ns,
                              const storage::PackIndex& pack,
                              std::span<const storage::StoredBlob> blobs,
                              std::span<const Digest> manifests);

}  // namespace mendel::registry
