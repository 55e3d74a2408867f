#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "registry/services/caller.h"
#include "registry/services/checkpoint_selector.h"
#include "registry/services/manifests.h"
#include "registry/services/page.h"
#include "registry/services/runs.h"
#include "schema/checkpoints.h"
#include "schema/database.h"
#include "storage/base/clock.h"
#include "storage/manifest.h"

namespace mendel::registry {

// Throws not_found.
schema::CheckpointRow get_checkpoint(schema::Transaction& tx, RunId run,
                                     const CheckpointSelector& selector);

// What a run leaves behind while it goes on. Manifests are stored as those of versions are;
// the run's keep rule is applied with each new checkpoint, and what it drops is kept as a
// row alone. Callers have been authorised. Any thread.
class CheckpointService {
 public:
  CheckpointService(schema::Database& database, ManifestService& manifests,
                    const Clock& clock)
      : database_(database), manifests_(manifests), clock_(clock) {}

  struct Request {
    std::int64_t step = 0;
    storage::ArtifactKind kind = storage::ArtifactKind::model;
    // Exactly one, as for a version.
    std::optional<storage::Manifest> manifest;
    std::optional<Digest> manifest_digest;
    std::string metrics;  // JSON object
  };
  struct Added {
    schema::CheckpointRow checkpoint;
    bool is_new = false;
  };
  // Throws already_exists for a run that has ended, and for another checkpoint of this
  // step.
  Added add(const Caller& caller, const RunService::Identity& run, const Request& request);

  // The highest step first.
  Page<schema::CheckpointRow> list(RunId run, const PageRequest& page);

  schema::CheckpointRow get(RunId run, const CheckpointSelector& selector);

 private:
  schema::Database& database_;
  ManifestService& manifests_;
  const Clock& clock_;
};

}  // namespace mendel::registry
