#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "registry/services/caller.h"
#include "schema/database.h"
#include "storage/base/digest.h"
#include "storage/pack.h"

namespace mendel::registry {

// How often packs of a namespace have been rewritten. Whoever writes packs that point into
// others asks for it before it looks at the first of those.
using RewriteCount = std::int64_t;
RewriteCount count_rewrites(schema::Database& database, NamespaceId ns);

// Writes the rows that name a pack and what is found in it, within one transaction. The
// pack itself *must* be durable before. Repeating it changes nothing. Returns the pack's
// id. Throws aborted if packs were rewritten since seen (absent: the pack points into no
// other), or if a blob has been purged: whoever begins anew is told.
std::int64_t insert_pack_rows(schema::Transaction& tx, NamespaceId ns,
                              const storage::PackIndex& pack,
                              std::span<const storage::StoredBlob> blobs,
                              std::span<const Digest> manifests,
                              std::optional<RewriteCount> seen);

}  // namespace mendel::registry
