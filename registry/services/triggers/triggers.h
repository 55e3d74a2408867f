#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "registry/services/access.h"
#include "registry/services/caller.h"
#include "registry/services/change_feed.h"
#include "registry/services/jobs/job_making.h"
#include "registry/services/jobs/pipelines.h"
#include "registry/services/page.h"
#include "registry/services/put.h"
#include "registry/services/triggers/decision.h"
#include "registry/services/triggers/trigger_document.h"
#include "schema/database.h"
#include "schema/pipelines.h"
#include "schema/triggers.h"
#include "storage/base/clock.h"
#include "storage/base/reference.h"

namespace mendel::registry {

// When pipelines are started. Callers have been authorised for the trigger's namespace. Any
// thread.
class TriggerService {
 public:
  TriggerService(schema::Database& database, ChangeFeed& changes, AccessService& access,
                 JobMaking& jobs, const Clock& clock)
      : database_(database),
        changes_(changes),
        access_(access),
        jobs_(jobs),
        clock_(clock) {}

  using Row = schema::TriggerRow;

  // document: canonical JSON, validated. What changes nothing makes no revision. What the
  // trigger has heard is forgotten where its conditions change, and where it is disabled.
  // Throws unprocessable for a pipeline that there is not, for what the caller may not
  // watch, and for what would make a cycle of pipelines.
  Put<Row> put(const Caller& caller, NamespaceId ns, const ArtifactName& name,
               const std::string& document, const Precondition<Row>& precondition);

  // The trigger as put() would make it, and throws what put() does; nothing is changed.
  Row rehearse(const Caller& caller, NamespaceId ns, const ArtifactName& name,
               const std::string& document, const Precondition<Row>& precondition);

  Row get(const ArtifactName& name);  // throws not_found
  void remove(const ArtifactName& name, const Precondition<Row>& precondition);

  // The trigger of a caller that may see it, newest first.
  struct Filter {
    std::optional<Name> ns;
    std::optional<ArtifactName> pipeline;
  };
  Page<Row> list(const Caller& caller, const Filter& filter, const PageRequest& page);

  // What it was told last, newest first.
  std::vector<schema::TriggerDecisionRow> decisions(const Row& trigger);

  // By hand. The event's id. Throws unprocessable where it waits for nobody's hand, and
  // already_exists where it is disabled.
  std::int64_t fire(const Caller& caller, const ArtifactName& name,
                    const std::string& reason);

  // What would happen if it were told now how things stand: of each artifact the newest
  // version, of each alias where it points, of each metric the last evaluations. Starts
  // nothing.
  struct Trial {
    bool would_fire = false;
    std::vector<std::string> because;
    std::vector<std::string> missing;
  };
  Trial try_out(const Row& trigger);

  // What triggers say when a pipeline is about to change: throws unprocessable where that
  // would make a cycle, and already_exists where one that triggers start would be deleted.
  void object(schema::Transaction& tx, const PipelineService::Change& change);

 private:
  struct Checked {
    TriggerDocument document;
    schema::TriggerEdit edit;
  };
  Checked check(const Caller& caller, const std::string& document);
  void refuse_cycle(schema::Transaction& tx, const Caller& caller,
                    const schema::PipelineRow& pipeline);
  Put<Row> put(schema::Transaction& tx, const Caller& caller, NamespaceId ns,
               const ArtifactName& name, Checked& checked,
               const Precondition<Row>& precondition);
  void update(schema::Transaction& tx, const Row& current, const Checked& checked);
  std::vector<HeardEvent> how_things_stand(schema::Transaction& tx,
                                           const Condition& condition);

  schema::Database& database_;
  ChangeFeed& changes_;
  AccessService& access_;
  JobMaking& jobs_;
  const Clock& clock_;
};

}  // namespace mendel::registry
