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

// Jobs: how they are made, admitted, found and ended. schema/job_attempts.h has what an
// agent does with one.
namespace mendel::schema {

struct JobRow {
  std::int64_t id = 0;
  std::string uuid;
  std::optional<Digest> request_digest;
  std::int64_t namespace_id = 0;
  std::string namespace_name;
  std::optional<std::int64_t> pipeline_id;
  std::string pipeline_name;
  std::int64_t owner_id = 0;
  std::optional<std::int64_t> trigger_id;
  std::string trigger_name;
  std::string reason;
  Timestamp created_at;
  std::string created_by;
  std::string state;
  std::string queue;
  std::string specification;
  std::int64_t target_id = 0;
  bool is_planned = false;
  std::string hyperparameters;  // canonical JSON; empty without
  std::optional<std::string> source_repository;
  std::optional<std::string> source_ref;
  std::optional<std::string> source_commit;
  bool needs_commit = false;
  std::string resolve_problem;
  bool admitted = false;
  std::optional<Timestamp> not_before;
  std::int32_t attempt = 0;
  std::int32_t attempts_max = 0;
  std::optional<std::int32_t> lease_seconds;
  std::optional<Timestamp> lease_expires_at;
  std::string agent;
  std::optional<std::int64_t> agent_id;
  bool cancel_requested = false;
  std::string cancel_reason;
  std::optional<Timestamp> started_at;
  std::optional<Timestamp> finished_at;
  std::optional<std::int64_t> version_id;
  std::string version;  // "lhcb/lamarr-trk:18"; empty without
  std::string run;      // UUID; empty without
  std::optional<std::int32_t> exit_status;
  std::string resources;      // JSON object
  std::int64_t log_kept = 0;  // bytes, of all attempts
  std::int64_t log_size = 0;  // of the last one
  std::string inputs;         // JSON list of role, name, ref and digest; empty without

  bool has_ended() const { return finished_at.has_value(); }
  bool is_leased() const { return lease_expires_at.has_value(); }
};

struct NewJob {
  std::string uuid;
  std::optional<Digest> request_digest;
  std::int64_t namespace_id = 0;
  std::int64_t pipeline_id = 0;
  std::string pipeline_name;
  std::int64_t owner_id = 0;
  std::optional<std::int64_t> trigger_id;
  std::string trigger_name;
  std::vector<std::int64_t> chain;
  std::string reason;
  Timestamp created_at;
  std::string created_by;
  std::string state;  // queued, or failed from the beginning
  std::string queue;
  std::string specification;
  std::int64_t target_id = 0;
  bool is_planned = false;
  std::optional<std::string> hyperparameters;
  std::optional<std::string> source_repository;
  std::optional<std::string> source_ref;
  std::optional<std::string> source_commit;
  bool needs_commit = false;
  std::int32_t attempts_max = 1;
};

// nullopt: there is a job of this UUID already.
std::optional<std::int64_t> insert_job(Transaction& tx, const NewJob& job);
void insert_job_inputs(Transaction& tx, std::int64_t job_id,
                       std::span<const NewEdge> inputs);
std::vector<NewEdge> list_job_inputs(Transaction& tx, std::int64_t job_id);

struct NewTransition {
  std::int64_t job_id = 0;
  Timestamp at;
  std::string actor;
  std::optional<std::string> from;  // nullopt: it was made
  std::string to;
  std::string reason;
};
void insert_job_transition(Transaction& tx, const NewTransition& transition);
std::vector<NewTransition> list_job_transitions(Transaction& tx, std::int64_t job_id);

std::optional<JobRow> find_job(Transaction& tx, std::string_view uuid);
std::optional<JobRow> lock_job(Transaction& tx, std::string_view uuid);
std::optional<JobRow> lock_job_by_id(Transaction& tx, std::int64_t id);

struct JobFilter {
  std::optional<std::string> folded_namespace;
  std::optional<std::int64_t> pipeline_id;
  std::optional<std::string> state;
};
// Newest first, those with ids below before.
std::vector<JobRow> list_jobs(Transaction& tx, const NamespaceViewer& viewer,
                              const JobFilter& filter, std::optional<std::int64_t> before,
                              std::int64_t limit);

// The triggers that led to a job, its own the last: what it makes fires none of them.
std::vector<std::int64_t> chain_of_job(Transaction& tx, std::int64_t job_id);

// --- Admission --------------------------------------------------------------------------
// The caller holds the lock of the pipeline.

std::int64_t count_admitted_jobs(Transaction& tx, std::int64_t pipeline_id);

// Those admitted for the first time after since that took effect, or still may.
std::int64_t count_jobs_admitted_since(Transaction& tx, std::int64_t pipeline_id,
                                       Timestamp since);

struct WaitingJob {
  std::int64_t id = 0;
  std::string queue;
  bool was_admitted_since = false;  // it counts already
};
// Those that wait for nothing but admission, the oldest first; they are locked, and those
// that somebody else holds are passed over.
std::vector<WaitingJob> lock_waiting_jobs(Transaction& tx, std::int64_t pipeline_id,
                                          Timestamp now, Timestamp since,
                                          std::int64_t limit);
void admit_jobs(Transaction& tx, std::span<const std::int64_t> job_ids, Timestamp now);

// Pipelines with jobs that wait for nothing but admission, by id, after one.
std::vector<std::int64_t> list_pipelines_with_waiting_jobs(Transaction& tx, Timestamp now,
                                                           std::int64_t after,
                                                           std::int64_t limit);

}  // namespace mendel::schema
