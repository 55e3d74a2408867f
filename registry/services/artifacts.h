#pragma once

#include <optional>
#include <string>
#include <vector>

#include "registry/services/caller.h"
#include "registry/services/change_feed.h"
#include "schema/aliases.h"
#include "schema/artifacts.h"
#include "schema/database.h"
#include "storage/base/clock.h"
#include "storage/base/reference.h"
#include "storage/manifest.h"

namespace mendel::registry {

// The named things whose versions the registry keeps. Any thread.
class ArtifactService {
 public:
  ArtifactService(schema::Database& database, ChangeFeed& changes, const Clock& clock);

  struct Artifact {
    schema::ArtifactRow row;
    schema::ArtifactCounts counts;
    std::vector<schema::AliasPointer> aliases;
  };

  // Callers have been authorised for the namespace. Throws not_found.
  Artifact get(const ArtifactName& name, storage::ArtifactKind kind);
  Artifact describe(NamespaceId ns, const ArtifactName& name, storage::ArtifactKind kind,
                    const std::string& description);

  // What the caller may see, newest change first.
  struct Filter {
    storage::ArtifactKind kind;
    std::optional<Name> ns;
    std::string text;  // part of a name or description; empty: all
  };
  std::vector<schema::ListedArtifact> list(
      const Caller& caller, const Filter& filter,
      const std::optional<schema::ArtifactPosition>& after, std::size_t limit);

 private:
  static Artifact complete(schema::Transaction& tx, schema::ArtifactRow row);

  schema::Database& database_;
  ChangeFeed& changes_;
  const Clock& clock_;
};

}  // namespace mendel::registry
