#pragma once

#include <optional>
#include <string>

#include "registry/services/caller.h"
#include "registry/services/change_feed.h"
#include "registry/services/page.h"
#include "schema/database.h"
#include "schema/evaluations.h"
#include "storage/base/clock.h"
#include "storage/base/digest.h"

namespace mendel::registry {

// Metrics of versions that were measured later: recorded for ever, never changed. Callers
// have been authorised. Any thread.
class EvaluationService {
 public:
  EvaluationService(schema::Database& database, ChangeFeed& changes, const Clock& clock)
      : database_(database), changes_(changes), clock_(clock) {}

  struct Request {
    std::optional<std::string> uuid;  // made by the client, so that it can ask again
    VersionId version = 0;
    std::optional<VersionId> dataset;
    Digest digest;        // of all that was asked
    std::string metrics;  // JSON object
    std::string labels;   // JSON object
    std::optional<Timestamp> measured_at;
  };
  struct Recorded {
    schema::EvaluationRow evaluation;
    bool is_new = false;
  };
  // Throws unprocessable for an id that was used otherwise, and for a time to come.
  Recorded record(const Caller& caller, const Request& request);

  // The one that an earlier request with this id made. Throws unprocessable where that
  // asked for something else.
  std::optional<schema::EvaluationRow> find_earlier(const std::string& uuid,
                                                    const Digest& request);

  // Newest first.
  Page<schema::EvaluationRow> list(VersionId version, const PageRequest& page);

 private:
  schema::Database& database_;
  ChangeFeed& changes_;
  const Clock& clock_;
};

}  // namespace mendel::registry
