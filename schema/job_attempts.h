#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schema/database.h"
#include "schema/jobs.h"
#include "storage/base/clock.h"
#include "storage/base/digest.h"

// What happens to a job once it is admitted: it is leased, its attempt lives, and ends. Who
// changes a job holds its lock.
namespace mendel::schema {

// Namespaces with jobs to lease from a queue, that of the oldest job first; of those where
// the principal may write, unless it is one that sees all.
struct LeaseViewer {
  std::int64_t principal_id = 0;
  bool sees_all = false;
  std::optional<std::int64_t> only_namespace;
};
std::vector<std::int64_t> list_namespaces_to_lease(Transaction& tx,
                                                   const std::string& queue,
                                                   const LeaseViewer& viewer);

// Queues with jobs that may be leased.
std::vector<std::string> list_queues_to_lease(Transaction& tx);

// The oldest job of a queue and namespace that may be leased and that nobody else is about
// to lease; locked.
std::optional<JobRow> lock_job_to_lease(Transaction& tx, const std::string& queue,
                                        std::int64_t namespace_id);

struct NewAttempt {
  std::int64_t job_id = 0;
  std::int32_t number = 0;
  Digest secret_hash;
  std::string agent;
  std::int64_t agent_id = 0;
  std::int32_t lease_seconds = 0;
  Timestamp now;
};
// The job starts: its attempt is the only one that lives.
void start_job_attempt(Transaction& tx, const NewAttempt& attempt);

// Whose token this is: an attempt, and what its token reaches.
struct AttemptHolderRow {
  std::int64_t job_id = 0;
  std::string job_uuid;
  std::int32_t number = 0;
  bool is_over = false;
  std::string state;  // of the job
  std::int64_t owner_id = 0;
  std::string owner;
  bool owner_is_admin = false;
  std::int64_t target_id = 0;
  std::vector<std::int64_t> input_namespaces;
};
std::optional<AttemptHolderRow> find_attempt_holder(Transaction& tx,
                                                    const Digest& secret_hash);

// Keeps a living attempt from ending until the transaction does. False: it has ended.
bool share_live_attempt(Transaction& tx, std::int64_t job_id, std::int32_t number);

// The same for who changes the job: its row is locked.
std::optional<JobRow> lock_live_attempt(Transaction& tx, std::int64_t job_id,
                                        std::int32_t number);

void extend_job_lease(Transaction& tx, std::int64_t job_id, Timestamp expires_at);
void set_job_running(Transaction& tx, std::int64_t job_id);
void set_job_run(Transaction& tx, std::int64_t job_id, const std::string& run);
void set_run_attempt(Transaction& tx, std::int64_t run_id, std::int64_t job_id,
                     std::int32_t number);
// Its runs that go on end with it, and take no more metrics.
void end_runs_of_attempt(Transaction& tx, std::int64_t job_id, std::int32_t number,
                         const std::string& status, Timestamp at);

// The version was made by the job, and the job has taken effect with it.
void set_job_version(Transaction& tx, std::int64_t job_id, std::int64_t version_id);
void request_job_cancel(Transaction& tx, std::int64_t job_id, const std::string& reason);

struct JobEnd {
  std::string state;  // succeeded, failed, cancelled or lost
  Timestamp at;
  std::optional<std::int32_t> exit_status;
  std::optional<std::string> resources;  // JSON object
};
void end_job(Transaction& tx, std::int64_t job_id, const JobEnd& end);
// How an attempt ended; nullopt: it has not, or there is none.
std::optional<std::string> find_attempt_outcome(Transaction& tx, std::int64_t job_id,
                                                std::int32_t number);
std::int64_t count_attempts_with_outcome(Transaction& tx, std::int64_t job_id,
                                         const std::string& outcome);
void end_job_attempt(Transaction& tx, std::int64_t job_id, std::int32_t number,
                     const std::string& outcome, Timestamp at);

// A job whose attempt has ended, or that has ended itself, waits again.
struct Requeue {
  std::optional<Timestamp> not_before;
  std::int32_t attempts_max = 0;
  bool needs_commit = false;
  Timestamp now;
};
void requeue_job(Transaction& tx, std::int64_t job_id, const Requeue& requeue);

// What a job was to be made from, once that could be found.
void plan_job(Transaction& tx, std::int64_t job_id, std::int64_t target_id,
              const std::optional<std::string>& hyperparameters);

// Jobs whose lease is over, the longest first; locked, and those that somebody else holds
// are passed over.
std::vector<std::int64_t> lock_jobs_with_expired_leases(Transaction& tx, Timestamp now,
                                                        std::int64_t limit);

// Says that jobs are being looked after now. When that was said last; nullopt: never.
std::optional<Timestamp> record_job_upkeep(Transaction& tx, Timestamp now);

// Every lease lasts as long from now on as it was granted for.
std::int64_t renew_job_leases(Transaction& tx, Timestamp now);

}  // namespace mendel::schema
