#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "registry/services/access.h"
#include "registry/services/caller.h"
#include "registry/services/change_feed.h"
#include "registry/services/inputs.h"
#include "registry/services/jobs/pipeline_spec.h"
#include "schema/database.h"
#include "schema/jobs.h"
#include "schema/pedigree.h"
#include "schema/pipelines.h"
#include "storage/base/clock.h"
#include "storage/base/digest.h"

namespace mendel::registry {

using PipelineId = std::int64_t;
using JobId = std::int64_t;

// Why a job is made, and what that says of it.
struct JobRequest {
  std::string reason;
  std::string actor;
  std::optional<std::int64_t> trigger;
  std::string trigger_name;
  std::vector<std::int64_t> chain;             // triggers that led here, oldest first
  std::optional<std::string> commit;           // of the source, where the cause names it
  std::optional<std::string> hyperparameters;  // JSON merge patch over the pipeline's
  std::optional<std::string> uuid;
  std::optional<Digest> digest{};  // of the request, where a client may repeat it
};

// Makes jobs of a pipeline, in two steps: what its inputs are now is read outside of the
// transaction, which may then also hold what the job is made for. Any thread.
class JobMaking {
 public:
  JobMaking(schema::Database& database, ChangeFeed& changes, AccessService& access,
            InputService& inputs, const Clock& clock)
      : database_(database),
        changes_(changes),
        access_(access),
        inputs_(inputs),
        clock_(clock) {}

  // What the pipeline's references mean now, read with its owner's rights.
  struct Plan {
    schema::PipelineRow pipeline;
    PipelineSpec spec;
    NamespaceId target = 0;  // of what it produces
    std::vector<schema::NewEdge> inputs;
    std::optional<std::string> hyperparameters;  // canonical JSON
  };

  // Throws not_found and permission_denied with what is missing, and unprocessable where
  // that which hyperparameters are to be taken from has none.
  Plan plan(PipelineId pipeline);

  // The job's UUID; it is queued, and admitted where the pipeline's limits allow it. A job
  // that has request.uuid already is left as it is. Throws aborted where the pipeline was
  // changed after the plan was made (plan again), not_found where it or an input is gone.
  std::string insert(schema::Transaction& tx, const Plan& plan, const JobRequest& request);

  // A job that failed before it began: visible, and to be retried by hand.
  std::string insert_failed(schema::Transaction& tx, PipelineId pipeline,
                            const JobRequest& request, std::string_view why);

  // What a job that failed before it began is made from after all. The job is locked.
  void complete(schema::Transaction& tx, const schema::JobRow& job, const Plan& plan);

  // After the commit: wakes the agents that wait for jobs of this server's queue.
  void announce(const std::string& queue);

  // The hyperparameters of a job: the plan's, changed by a merge patch (RFC 7396).
  static std::optional<std::string> patched(const std::optional<std::string>& base,
                                            const std::optional<std::string>& patch);

 private:
  std::optional<std::string> find_hyperparameters(const Caller& owner,
                                                  const PipelineSpec& spec);

  schema::Database& database_;
  ChangeFeed& changes_;
  AccessService& access_;
  InputService& inputs_;
  const Clock& clock_;
};

}  // namespace mendel::registry
