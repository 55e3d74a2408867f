#pragma once

#include "registry/services/publishing.h"
#include "schema/database.h"

namespace mendel::registry {

// Versions that are made from a run: what a request to publish leaves out is what the run
// says. Callers may read the run's namespace. Any thread.
class RunPublication {
 public:
  explicit RunPublication(schema::Database& database) : database_(database) {}

  // Fills in inputs, hyperparameters and source of request.run, and with
  // request.checkpoint also content and metrics. Throws not_found for a run or a
  // checkpoint that is not there, unprocessable for a run of another namespace.
  void complete(NamespaceId ns, PublishingService::Request& request);

 private:
  schema::Database& database_;
};

}  // namespace mendel::registry
