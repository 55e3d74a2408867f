#pragma once

#include <set>
#include <string>
#include <string_view>

#include "schema/database.h"
#include "schema/pipelines.h"
#include "storage/base/clock.h"

namespace mendel::registry {

// Which of a pipeline's queued jobs an agent may be given: those that wait for nothing (a
// commit, a pause after a failure), as many as its limits leave room for, the oldest first.

// Queues that jobs were admitted to: what is announced once the transaction has committed.
using Queues = std::set<std::string>;

// The caller holds the pipeline's lock. Announces the queues to the other servers.
Queues admit_waiting_jobs(schema::Transaction& tx, const schema::PipelineRow& pipeline,
                          Timestamp now);

// The same for a pipeline that is not locked yet, and may be gone.
Queues admit_waiting_jobs_of(schema::Transaction& tx, std::int64_t pipeline_id,
                             Timestamp now);

// The topic under which a new job of a queue is announced, and back.
std::string queue_topic(std::string_view queue);
std::optional<std::string_view> queue_of_topic(std::string_view topic);

}  // namespace mendel::registry
