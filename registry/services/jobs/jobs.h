#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "registry/services/access.h"
#include "registry/services/caller.h"
#include "registry/services/change_feed.h"
#include "registry/services/jobs/admission.h"
#include "registry/services/jobs/job_making.h"
#include "registry/services/page.h"
#include "schema/database.h"
#include "schema/jobs.h"
#include "storage/base/clock.h"
#include "storage/base/error.h"
#include "storage/base/reference.h"

namespace mendel::registry {

// Jobs, as people ask for them, look at them, cancel and retry them. What agents do with
// them is in job_leases.h. Callers have been authorised for the job's namespace. Any
// thread.
class JobService {
 public:
  JobService(schema::Database& database, ChangeFeed& changes, JobMaking& making,
             const Clock& clock)
      : database_(database), changes_(changes), making_(making), clock_(clock) {}

  struct Created {
    schema::JobRow job;
    bool is_new = false;
  };
  // A request with an id that made a job before gets that job; throws unprocessable where
  // it asked for something else then.
  Created create(PipelineId pipeline, const JobRequest& request);

  std::optional<schema::JobRow> find(std::string_view uuid);
  schema::JobRow get(std::string_view uuid);  // throws not_found

  struct Details {
    std::vector<schema::NewTransition> transitions;
    std::string waiting_for;  // one sentence; empty for a job that waits for nothing
  };
  Details details(const schema::JobRow& job);

  // Newest first; of a namespace or pipeline, or of all that the caller may read.
  Page<schema::JobRow> list(const Caller& caller, const schema::JobFilter& filter,
                            const PageRequest& page);

  // One that waits is cancelled at once; of one that runs it is asked of its agent. Throws
  // already_exists for one that has ended.
  void cancel(const Caller& caller, std::string_view uuid, const std::string& reason);

  // Queues one again that has ended without taking effect, with as many attempts as at the
  // beginning. Throws already_exists for any other.
  void retry(const Caller& caller, std::string_view uuid, const std::string& reason);

 private:
  void announce(const Queues& queues);
  std::optional<schema::JobRow> find_earlier(const JobRequest& request);
  std::string wait_of(schema::Transaction& tx, const schema::JobRow& job);

  schema::Database& database_;
  ChangeFeed& changes_;
  JobMaking& making_;
  const Clock& clock_;
};

// What is thrown for a job that is absent or not to be seen.
Error no_job(std::string_view uuid);

}  // namespace mendel::registry
