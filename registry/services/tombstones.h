#pragma once

#include <span>
#include <string>
#include <string_view>

#include "registry/services/caller.h"
#include "schema/database.h"
#include "storage/base/clock.h"
#include "storage/base/digest.h"
#include "storage/base/error.h"

namespace mendel::registry {

// The topic of the change feed for tombstones: whoever remembers where a blob is must look
// again.
inline constexpr std::string_view kPurgeTopic = "purge";

// That a blob was purged: its bytes must not exist, in no namespace.
struct Tombstone {
  Digest digest;
  Timestamp purged_at;
  std::string reason;  // empty for a namespace that never had the blob: it may not know
};

// what: "lhcb/x:3: libtrk.so", or the blob itself.
Error gone(const Tombstone& tombstone, std::string_view what);
Error gone(const Tombstone& tombstone);

// Throws gone for the first of the blobs that was purged, as the namespace may be told.
void refuse_purged(schema::Transaction& tx, NamespaceId ns,
                   std::span<const Digest> digests);

}  // namespace mendel::registry
