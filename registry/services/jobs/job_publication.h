#pragma once

#include "registry/services/caller.h"
#include "registry/services/publishing.h"
#include "schema/database.h"

namespace mendel::registry {

// What a job says of the version that it makes, whatever its agent says: it was made from
// the job's inputs. Hyperparameters and source are the job's where the agent names none.
class JobPublication {
 public:
  explicit JobPublication(schema::Database& database) : database_(database) {}

  // Does nothing for callers that are no attempt at a job.
  void complete(const Caller& caller, PublishingService::Request& request);

 private:
  schema::Database& database_;
};

}  // namespace mendel::registry
