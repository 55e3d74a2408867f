#pragma once

#include "registry/api/version_json.h"
#include "registry/services/access.h"
#include "registry/services/aliases.h"
#include "registry/services/artifacts.h"
#include "registry/services/blobs.h"
#include "registry/services/change_feed.h"
#include "registry/services/health.h"
#include "registry/services/namespace_packs.h"
#include "registry/services/namespaces.h"
#include "registry/services/principals.h"
#include "registry/services/publishing.h"
#include "registry/services/services.h"
#include "registry/services/tokens.h"
#include "registry/services/uploads.h"
#include "registry/services/versions.h"
#include "storage/memory_object_store.h"
#include "tests/testing/manual_clock.h"

namespace mendel::testing {

// All services of one server, over a database that is first asked when one of them needs
// it.
struct WholeRegistry {
  explicit WholeRegistry(schema::Database& database)
      : changes(database),
        access(database, changes, clock),
        packs(objects, 32 << 20),
        blobs(database, packs),
        uploads(database, packs, clock),
        versions(database, changes, blobs, registry::api::render_version),
        publishing(database, changes, blobs, versions, clock),
        aliases(database, changes, clock),
        artifacts(database, changes, clock),
        namespaces(database, changes, access),
        principals(database, changes),
        tokens(database, changes, access, clock),
        health(database, objects) {}

  ManualClock clock{parse_rfc3339("2024-02-13T00:00:00Z")};
  storage::MemoryObjectStore objects;
  registry::ChangeFeed changes;
  registry::AccessService access;
  registry::NamespacePacks packs;
  registry::BlobService blobs;
  registry::UploadService uploads;
  registry::VersionService versions;
  registry::PublishingService publishing;
  registry::AliasService aliases;
  registry::ArtifactService artifacts;
  registry::NamespaceService namespaces;
  registry::PrincipalService principals;
  registry::TokenService tokens;
  registry::HealthService health;

  registry::Services services{access, aliases,    artifacts,  blobs,
                              health, namespaces, principals, publishing,
                              tokens, uploads,    versions};
};

}  // namespace mendel::testing
