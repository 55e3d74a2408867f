#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "registry/services/jobs/admission.h"
#include "schema/database.h"
#include "schema/jobs.h"
#include "storage/base/clock.h"

namespace mendel::registry {

// How an attempt went, as its agent says, or as others do where the agent is gone.
struct AttemptEnd {
  std::string state;  // succeeded, failed, cancelled or lost
  std::string reason;
  std::string actor;
  std::optional<std::int32_t> exit_status;
  std::optional<std::string> resources;  // JSON object
  bool may_be_repeated = true;
};

// Ends the job's attempt: its token is worth nothing from here on. The job ends with it, or
// waits for the next attempt where its pipeline allows one. What was published counts: then
// the job has succeeded, whatever happened after. Gives the next job of the pipeline its
// turn. The caller holds the job's lock.
Queues end_attempt(schema::Transaction& tx, const schema::JobRow& job,
                   const AttemptEnd& end, Timestamp now);

// A job that waits fails without another attempt. The caller holds its lock.
Queues fail_job(schema::Transaction& tx, const schema::JobRow& job,
                const std::string& reason, Timestamp now);

// For a job that has ended or never began: nobody works on it. The state that it was in is
// left as a transition.
void move_job(schema::Transaction& tx, const schema::JobRow& job, const std::string& to,
              const std::string& actor, const std::string& reason, Timestamp now);

// How long a job waits after so many attempts that failed: twice as long each time.
std::chrono::seconds pause_after(std::int32_t attempts, std::int32_t backoff_seconds);

}  // namespace mendel::registry
