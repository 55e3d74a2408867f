#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "registry/services/caller.h"
#include "registry/services/change_feed.h"
#include "schema/aliases.h"
#include "schema/database.h"
#include "storage/base/clock.h"
#include "storage/base/reference.h"
#include "storage/manifest.h"

namespace mendel::registry {

// Movable names for versions; every move is kept, with who, when and why. Callers have been
// authorised for the namespace. Any thread.
class AliasService {
 public:
  using Move = schema::AliasMoveRow;

  AliasService(schema::Database& database, ChangeFeed& changes, const Clock& clock);

  // Throws not_found where the alias does not exist now, or did not then.
  Move get(const ArtifactName& artifact, storage::ArtifactKind kind,
           const AliasName& alias);
  Move get_at(const ArtifactName& artifact, storage::ArtifactKind kind,
              const AliasName& alias, Timestamp time);

  // Newest first, removals too; those with move numbers below before.
  std::vector<Move> history(const ArtifactName& artifact, storage::ArtifactKind kind,
                            const AliasName& alias, std::optional<std::int32_t> before,
                            std::size_t limit);

  // Called with the current move, or nullopt where there is none, once nobody else can move
  // the alias: throws to refuse (If-Match).
  using Guard = std::function<void(const std::optional<Move>& current)>;

  // Pointing an alias where it points already moves nothing. Throws already_exists for a
  // yanked version.
  Move set(const Caller& caller, NamespaceId ns, const ArtifactName& artifact,
           storage::ArtifactKind kind, const AliasName& alias, VersionNumber version,
           const std::string& reason, const Guard& guard);
  void remove(const Caller& caller, NamespaceId ns, const ArtifactName& artifact,
              storage::ArtifactKind kind, const AliasName& alias, const std::string& reason,
              const Guard& guard);

 private:
  schema::Database& database_;
  ChangeFeed& changes_;
  const Clock& clock_;
};

}  // namespace mendel::registry
