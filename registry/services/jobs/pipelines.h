#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "registry/services/access.h"
#include "registry/services/caller.h"
#include "registry/services/change_feed.h"
#include "registry/services/jobs/job_making.h"
#include "registry/services/jobs/pipeline_spec.h"
#include "registry/services/page.h"
#include "registry/services/put.h"
#include "schema/database.h"
#include "schema/pipelines.h"
#include "storage/base/clock.h"
#include "storage/base/reference.h"

namespace mendel::registry {

// Pipelines: how to make a version again. Who applies one needs the role of a writer where
// it lies and where it publishes, and owns it from then on: its jobs act with their rights.
// Any thread.
class PipelineService {
 public:
  PipelineService(schema::Database& database, ChangeFeed& changes, AccessService& access,
                  const Clock& clock)
      : database_(database), changes_(changes), access_(access), clock_(clock) {}

  // A valid document, as it was sent and as it is understood.
  struct Document {
    std::string text;  // canonical JSON
    PipelineSpec spec;
  };

  // Asked in the transaction that changes or removes a pipeline, which is locked; throws to
  // leave it alone. Those who build on pipelines object where they need them. Before the
  // first request.
  struct Change {
    std::string name;                    // "lhcb/retrain-trk"
    std::optional<PipelineId> pipeline;  // absent: it is new
    const PipelineSpec* spec = nullptr;  // null: it is removed
  };
  using Objection = std::function<void(schema::Transaction& tx, const Change& change)>;
  void consult(Objection objection) { objections_.push_back(std::move(objection)); }

  // A document that changes nothing leaves the revision as it is. Throws unprocessable
  // where an input's artifact is not to be found by the caller; that it has no such version
  // yet is no mistake.
  Put<schema::PipelineRow> put(const Caller& caller, NamespaceId ns,
                               const ArtifactName& name, const Document& document,
                               const Precondition<schema::PipelineRow>& precondition);

  // What put() would do: throws what it would, and gives what there is now.
  std::optional<schema::PipelineRow> rehearse(
      const Caller& caller, NamespaceId ns, const ArtifactName& name,
      const Document& document, const Precondition<schema::PipelineRow>& precondition);

  schema::PipelineRow get(const ArtifactName& name);  // throws not_found

  // Newest first; of a namespace, or of all that the caller may read.
  Page<schema::PipelineRow> list(const Caller& caller, const std::optional<Name>& ns,
                                 const PageRequest& page);

  // Throws already_exists while jobs of it have not ended.
  void remove(const Caller& caller, const ArtifactName& name,
              const Precondition<schema::PipelineRow>& precondition);

 private:
  void check_references(const Caller& caller, const Document& document);
  void ask(schema::Transaction& tx, const Change& change) const;

  schema::Database& database_;
  ChangeFeed& changes_;
  AccessService& access_;
  const Clock& clock_;
  std::vector<Objection> objections_;
};

}  // namespace mendel::registry
