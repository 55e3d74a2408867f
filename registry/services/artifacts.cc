#include "registry/services/artifacts.h"

#include <utility>

#include "registry/services/namespace_rows.h"
#include "registry/services/version_rows.h"
#include "schema/changes.h"

namespace mendel::registry {

ArtifactService::ArtifactService(schema::Database& database, ChangeFeed& changes,
                                 const Clock& clock)
    : database_(database), changes_(changes), clock_(clock) {}

ArtifactService::Artifact ArtifactService::complete(schema::Transaction& tx,
                                                    schema::ArtifactRow row) {
  const ArtifactId id = row.id;
  return {std::move(row), schema::count_versions(tx, id), schema::list_aliases(tx, id)};
}

ArtifactService::Artifact ArtifactService::get(const ArtifactName& name,
                                               storage::ArtifactKind kind) {
  return database_.read("find an artifact", [&](schema::Transaction& tx) {
    return complete(tx, get_artifact(tx, name, kind));
  });
}

ArtifactService::Artifact ArtifactService::describe(NamespaceId ns,
                                                    const ArtifactName& name,
                                                    storage::ArtifactKind kind,
                                                    const std::string& description) {
  auto artifact = database_.transact("describe an artifact", [&](schema::Transaction& tx) {
    const ArtifactId id = lock_artifact(tx, ns, name, kind).id;
    schema::update_artifact_description(tx, id, description, clock_.now());
    schema::record_change(tx, artifact_topic(id));
    return complete(tx, get_artifact(tx, name, kind));
  });
  changes_.announce(artifact_topic(artifact.row.id));
  return artifact;
}

std::vector<schema::ListedArtifact> ArtifactService::list(
    const Caller& caller, const Filter& filter,
    const std::optional<schema::ArtifactPosition>& after, std::size_t limit) {
  schema::ArtifactFilter rows{.kind = std::string(storage::to_string(filter.kind)),
                              .folded_namespace = std::nullopt,
                              .text = filter.text};
  if (filter.ns) rows.folded_namespace = filter.ns->folded();
  return database_.read("list artifacts", [&](schema::Transaction& tx) {
    return schema::list_artifacts(tx, viewer_for(caller), rows, after,
                                  static_cast<std::int64_t>(limit));
  });
}

}  // namespace mendel::registry
