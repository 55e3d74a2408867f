#pragma once

#include "registry/services/version.h"
#include "schema/artifacts.h"
#include "schema/versions.h"
#include "storage/base/reference.h"

namespace mendel::registry {

// Where rows become what the registry speaks of.

storage::ArtifactKind kind_of(const schema::ArtifactRow& artifact);
Version to_version(const schema::ArtifactRow& artifact, schema::VersionRow row);

// Throws not_found: no such artifact, or one of another kind.
schema::ArtifactRow get_artifact(schema::Transaction& tx, const ArtifactName& name);
schema::ArtifactRow get_artifact(schema::Transaction& tx, const ArtifactName& name,
                                 storage::ArtifactKind kind);
schema::ArtifactRow lock_artifact(schema::Transaction& tx, NamespaceId ns,
                                  const ArtifactName& name, storage::ArtifactKind kind);

// Throws not_found, naming what was asked for.
schema::VersionRow get_version(schema::Transaction& tx, const schema::ArtifactRow& artifact,
                               const VersionRef& ref);

// Throws not_found unless the artifact is of that kind; the message says which it is.
void require_kind(const schema::ArtifactRow& artifact, storage::ArtifactKind kind);

// The topic under which changes of an artifact are announced, and back.
std::string artifact_topic(ArtifactId id);
std::optional<ArtifactId> artifact_of_topic(std::string_view topic);

}  // namespace mendel::registry
