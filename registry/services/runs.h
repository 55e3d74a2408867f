#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "registry/services/caller.h"
#include "registry/services/keep_rule.h"
#include "registry/services/metric_folding.h"
#include "registry/services/page.h"
#include "schema/database.h"
#include "schema/runs.h"
#include "storage/base/clock.h"
#include "storage/base/digest.h"
#include "storage/base/error.h"
#include "storage/base/reference.h"

namespace mendel::registry {

// Runs: executions that make versions. A run is running until it is told how it ended:
// finished, failed or killed, which is for ever. One that promised heartbeats and has
// missed three is lost until it sends another, or ends. Callers have been authorised. Any
// thread.
class RunService {
 public:
  RunService(schema::Database& database, MetricFolding& folding, const Clock& clock);
  ~RunService();

  // What never changes about a run, kept in memory.
  struct Identity {
    std::string uuid;
    RunId id = 0;
    NamespaceId ns = 0;
    std::string namespace_name;
    std::optional<std::int64_t> job_id;  // of which attempt it is, if it is of one
    std::optional<std::int32_t> job_attempt;
  };
  std::optional<Identity> find_identity(std::string_view uuid);

  struct Request {
    std::optional<std::string> uuid;  // made by the client, so that it can ask again
    Name name;
    Digest digest;                               // of all that was asked
    std::optional<std::string> hyperparameters;  // canonical JSON
    std::optional<std::string> source;           // JSON object
    std::string labels;                          // JSON object
    std::string message;
    std::optional<std::string> command;  // JSON list of words
    std::string directory;               // where it runs, below the root of the source
    std::optional<std::int32_t> heartbeat_seconds;
    KeepRule keep;
    std::optional<Timestamp> started_at;
    std::vector<schema::NewEdge> inputs;
  };
  struct Created {
    schema::RunRow run;
    bool is_new = false;
  };

  // The run that an earlier request with this id made. Throws unprocessable where that
  // asked for something else.
  std::optional<schema::RunRow> find_earlier(std::string_view uuid, const Digest& request);
  Created create(const Caller& caller, NamespaceId ns, const Request& request);

  schema::RunRow get(std::string_view uuid);  // throws not_found

  // References of the versions that it made, the first kOutputsShownMax.
  std::vector<std::string> outputs(std::string_view uuid);
  static constexpr std::int64_t kOutputsShownMax = 1000;

  // Newest first; of a namespace, or of all that the caller may read.
  Page<schema::RunRow> list(const Caller& caller, const schema::RunFilter& filter,
                            const PageRequest& page);

  struct Change {
    std::optional<std::string> status;  // running, finished, failed or killed
    std::optional<Timestamp> finished_at;
    std::optional<std::int32_t> exit_status;
    std::optional<std::string> labels;     // JSON object, in place of what there is
    std::optional<std::string> resources;  // JSON object, whose members replace theirs
  };
  // Throws already_exists for an end that is another than the one the run has. When a run
  // ends, its metrics can be searched for before this returns.
  void change(const Caller& caller, std::string_view uuid, const Change& change);

  // The status afterwards.
  std::string record_heartbeat(const Caller& caller, std::string_view uuid);

  // Finds who has stopped its heartbeat.
  void mark_lost();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

bool has_ended(const schema::RunRow& run);

// What is thrown for a run that is absent or not to be seen.
Error no_run(std::string_view uuid);

}  // namespace mendel::registry
