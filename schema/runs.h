#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "schema/access.h"
#include "schema/database.h"
#include "schema/pedigree.h"
#include "storage/base/clock.h"
#include "storage/base/digest.h"

namespace mendel::schema {

// Runs are named by their UUID; other tables refer to their id.

struct RunRow {
  std::int64_t id = 0;
  std::string uuid;
  std::int64_t namespace_id = 0;
  std::string namespace_name;
  std::string name;
  std::string status;
  Digest request_digest;
  std::string created_by;
  Timestamp created_at;
  Timestamp started_at;
  std::optional<Timestamp> finished_at;
  std::optional<std::int32_t> heartbeat_seconds;
  std::optional<Timestamp> heartbeat_at;
  std::optional<Digest> hyperparameters_digest;
  std::string hyperparameters;  // canonical JSON; empty without
  std::string source;           // JSON object; empty without
  std::string labels;           // JSON object
  std::string message;
  std::string command;    // JSON list of words; empty without
  std::string directory;  // where it ran, below the root of the source
  std::string resources;  // JSON object
  std::optional<std::int32_t> exit_status;
  std::string keep_rule;
  std::int64_t checkpoint_count = 0;
  std::string inputs;                  // JSON, as VersionRow has its edges; empty without
  std::optional<std::int64_t> job_id;  // whose attempt it is, if it is of one
  std::optional<std::int32_t> job_attempt;
  std::string job;  // UUID; empty without
};

struct NewRun {
  std::string uuid;
  std::int64_t namespace_id = 0;
  std::string name;
  Digest request_digest;
  std::string created_by;
  Timestamp created_at;
  Timestamp started_at;
  std::optional<std::int32_t> heartbeat_seconds;
  std::optional<Timestamp> heartbeat_at;
  std::optional<Timestamp> lost_after;
  std::optional<Digest> hyperparameters_digest;
  std::optional<std::string> source;
  std::string labels;
  std::string message;
  std::optional<std::string> command;
  std::string directory;
  std::string keep_rule;
};

// With its metric_log. nullopt: there is a run of this UUID already.
std::optional<std::int64_t> insert_run(Transaction& tx, const NewRun& run);

std::optional<RunRow> find_run(Transaction& tx, std::string_view uuid);

// Locks the run's row; several are waited for by one who changes the run.
std::optional<RunRow> lock_run(Transaction& tx, std::string_view uuid);

struct RunFilter {
  std::optional<std::string> folded_namespace;
  std::optional<std::string> status;
};
// Newest first, those with ids below before.
std::vector<RunRow> list_runs(Transaction& tx, const NamespaceViewer& viewer,
                              const RunFilter& filter, std::optional<std::int64_t> before,
                              std::int64_t limit);

struct RunEnd {
  std::string status;
  std::optional<Timestamp> finished_at;
  std::optional<std::int32_t> exit_status;
};
void update_run_state(Transaction& tx, std::int64_t run_id, const RunEnd& end);
void update_run_labels(Transaction& tx, std::int64_t run_id, const std::string& labels);
void update_run_resources(Transaction& tx, std::int64_t run_id,
                          const std::string& resources);

// Also takes a lost run back. The status afterwards.
std::string record_heartbeat(Transaction& tx, std::int64_t run_id, Timestamp now);

// Running runs whose time is over become lost, up to limit of them; those that another
// server works on are passed over. Their UUIDs.
std::vector<std::string> mark_lost_runs(Transaction& tx, Timestamp now, std::int64_t limit);

// What went into a run.
void insert_run_inputs(Transaction& tx, std::int64_t run_id,
                       std::span<const NewEdge> inputs);
std::vector<NewEdge> list_run_inputs(Transaction& tx, std::int64_t run_id);

// The versions that were made by a run, "lhcb/lamarr-trk:17", the oldest first, up to
// limit.
std::vector<std::string> list_run_outputs(Transaction& tx, std::string_view uuid,
                                          std::int64_t limit);

}  // namespace mendel::schema
