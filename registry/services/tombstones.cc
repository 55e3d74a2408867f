#include "registry/services/tombstones.h"

#include <fmt/format.h>

#include "registry/services/tombstone_rows.h"

namespace mendel::registry {

Tombstone tombstone_of(const schema::TombstoneRow& row) {
  return {row.digest, row.purged_at, row.was_here ? row.reason : std::string()};
}

Error gone(const Tombstone& tombstone, std::string_view what) {
  std::string text = fmt::format("{} is gone: it was purged at {}", what,
                                 format_rfc3339(tombstone.purged_at));
  if (!tombstone.reason.empty()) text += ": " + tombstone.reason;
  return {ErrorCode::gone, text};
}

Error gone(const Tombstone& tombstone) {
  return gone(tombstone, "blob " + tombstone.digest.to_string());
}

void refuse_purged(schema::Transaction& tx, NamespaceId ns,
                   std::span<const Digest> digests) {
  if (digests.empty()) return;
  const auto purged = schema::find_tombstones(tx, ns, digests);
  if (!purged.empty()) throw gone(tombstone_of(purged.front()));
}

}  // namespace mendel::registry
