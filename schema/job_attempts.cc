#include "schema/job_attempts.h"

#include "schema/transaction.h"

namespace mendel::schema {

namespace {

// Goes from namespace to namespace through the index of what may be leased, of which the
// first entries alone are read.
constexpr Statement kListNamespacesToLease{"list_namespaces_to_lease", R"sql(
  with recursive waiting (namespace_id, job_id) as (
      (select namespace_id, id
         from job
        where admitted and state = 'queued' and queue = $1 collate "C"
        order by namespace_id, id limit 1)
    union all
      select next.namespace_id, next.id
        from waiting w
        cross join lateral (
          select namespace_id, id
            from job
           where admitted and state = 'queued' and queue = $1 collate "C"
             and namespace_id > w.namespace_id
           order by namespace_id, id limit 1) next
  )
  select w.namespace_id
    from waiting w
    left join membership m on m.namespace_id = w.namespace_id and m.principal_id = $2
   where ($3::boolean or m.role in ('writer', 'maintainer', 'owner'))
     and ($4::bigint is null or w.namespace_id = $4)
   order by w.job_id
)sql"};

constexpr Statement kListQueuesToLease{"list_queues_to_lease", R"sql(
  with recursive waiting (queue) as (
      (select queue
         from job
        where admitted and state = 'queued'
        order by queue collate "C" limit 1)
    union all
      select (select j.queue
                from job j
               where j.admitted and j.state = 'queued'
                 and j.queue collate "C" > w.queue
               order by j.queue collate "C" limit 1)
        from waiting w
       where w.queue is not null
  )
  select queue from waiting where queue is not null
)sql"};

// A range of one namespace, so that the order is that of job_to_lease alone: the planner
// would take the primary key for the order of ids, and read what was leased long ago.
constexpr Statement kLockJobToLease{"lock_job_to_lease", R"sql(
  select id
    from job
   where admitted and state = 'queued' and queue = $1 collate "C"
     and namespace_id >= $2 and namespace_id <= $2
   order by namespace_id, id
   limit 1
     for no key update skip locked
)sql"};

constexpr Statement kStartJobAttempt{"start_job_attempt", R"sql(
  with started as (
    update job
       set state = 'starting', attempt = $2, agent = $4, agent_id = $5, lease_seconds = $6,
           lease_expires_at = $7::timestamptz + $6::integer * interval '1 second',
           started_at = $7::timestamptz, run = null, exit_status = null, resources = '{}'
     where id = $1
  )
  insert into job_attempt (job_id, number, secret_hash, agent, started_at)
  values ($1, $2, $3, $4, $7::timestamptz)
)sql"};

constexpr Statement kFindAttemptHolder{"find_attempt_holder", R"sql(
  select j.id as job_id, j.uuid::text as job_uuid, a.number,
         a.ended_at is not null or a.number <> j.attempt
           or j.state not in ('starting', 'running') as is_over,
         j.state, j.owner_id, o.name as owner, o.is_admin as owner_is_admin,
         j.target_id
    from job_attempt a
    join job j on j.id = a.job_id
    join principal o on o.id = j.owner_id
   where a.secret_hash = $1
)sql"};

constexpr Statement kListInputNamespaces{"list_input_namespaces", R"sql(
  select distinct a.namespace_id
    from job_input i join version v on v.id = i.target_id
    join artifact a on a.id = v.artifact_id
   where i.job_id = $1
)sql"};

constexpr Statement kShareLiveAttempt{"share_live_attempt", R"sql(
  select id from job
   where id = $1 and attempt = $2 and state in ('starting', 'running')
     for share
)sql"};

constexpr Statement kExtendJobLease{"extend_job_lease", R"sql(
  update job set lease_expires_at = greatest(lease_expires_at, $2) where id = $1
)sql"};

constexpr Statement kSetJobRunning{"set_job_running", R"sql(
  update job set state = 'running' where id = $1
)sql"};

constexpr Statement kSetJobRun{"set_job_run", R"sql(
  update job set run = $2 where id = $1
)sql"};

constexpr Statement kSetRunAttempt{"set_run_attempt", R"sql(
  update run set job_id = $2, job_attempt = $3 where id = $1
)sql"};

constexpr Statement kEndRunsOfAttempt{"end_runs_of_attempt", R"sql(
  with ended as (
    update run set status = $3, finished_at = greatest(started_at, $4::timestamptz)
     where job_id = $1 and job_attempt = $2 and finished_at is null
    returning id
  )
  update metric_log set closed = true where run_id in (select id from ended)
)sql"};

// A version that was there already, because nothing had changed, keeps who made it.
constexpr Statement kSetJobVersion{"set_job_version", R"sql(
  with made as (
    update version set job_id = coalesce(job_id, $1) where id = $2
  )
  update job set version_id = $2 where id = $1
)sql"};

constexpr Statement kRequestJobCancel{"request_job_cancel", R"sql(
  update job set cancel_requested = true, cancel_reason = $2 where id = $1
)sql"};

constexpr Statement kEndJob{"end_job", R"sql(
  update job
     set state = $2, finished_at = $3, exit_status = coalesce($4, exit_status),
         resources = resources || coalesce($5::jsonb, '{}'), admitted = false,
         needs_commit = false, not_before = null, lease_expires_at = null
   where id = $1
)sql"};

constexpr Statement kEndJobAttempt{"end_job_attempt", R"sql(
  update job_attempt set ended_at = $4, outcome = $3
   where job_id = $1 and number = $2 and ended_at is null
)sql"};

constexpr Statement kFindAttemptOutcome{"find_attempt_outcome", R"sql(
  select outcome from job_attempt
   where job_id = $1 and number = $2 and ended_at is not null
)sql"};

constexpr Statement kCountAttemptsWithOutcome{"count_attempts_with_outcome", R"sql(
  select count(*) as attempts from job_attempt where job_id = $1 and outcome = $2
)sql"};

constexpr Statement kRequeueJob{"requeue_job", R"sql(
  update job
     set state = 'queued', finished_at = null, admitted = false, not_before = $2,
         attempts_max = $3, needs_commit = $4::boolean,
         resolve_at = case when $4::boolean then $5::timestamptz end, resolve_failures = 0,
         resolve_problem = '', lease_expires_at = null, agent = '', agent_id = null,
         cancel_requested = false, cancel_reason = ''
   where id = $1
)sql"};

constexpr Statement kPlanJob{"plan_job", R"sql(
  update job set is_planned = true, target_id = $2, hyperparameters = $3 where id = $1
)sql"};

constexpr Statement kLockJobsWithExpiredLeases{"lock_jobs_with_expired_leases", R"sql(
  select id
    from job
   where lease_expires_at < $1
   order by lease_expires_at
   limit $2
     for no key update skip locked
)sql"};

// One server after the other: the row's lock orders them.
constexpr Statement kLockJobUpkeep{"lock_job_upkeep", R"sql(
  select looked_at from job_upkeep for update
)sql"};

constexpr Statement kRecordJobUpkeep{"record_job_upkeep", R"sql(
  insert into job_upkeep (looked_at) values ($1)
  on conflict on constraint job_upkeep_pk
  do update set looked_at = greatest(job_upkeep.looked_at, excluded.looked_at)
)sql"};

constexpr Statement kRenewJobLeases{"renew_job_leases", R"sql(
  update job
     set lease_expires_at =
           greatest(lease_expires_at,
                    $1::timestamptz + lease_seconds * interval '1 second')
   where lease_expires_at is not null
)sql"};

}  // namespace

std::vector<std::int64_t> list_namespaces_to_lease(Transaction& tx,
                                                   const std::string& queue,
                                                   const LeaseViewer& viewer) {
  std::vector<std::int64_t> namespaces;
  for (const Row& row : tx.exec(kListNamespacesToLease, queue, viewer.principal_id,
                                viewer.sees_all, viewer.only_namespace)) {
    namespaces.push_back(at<std::int64_t>(row, "namespace_id"));
  }
  return namespaces;
}

std::vector<std::string> list_queues_to_lease(Transaction& tx) {
  std::vector<std::string> queues;
  for (const Row& row : tx.exec(kListQueuesToLease)) {
    queues.push_back(at<std::string>(row, "queue"));
  }
  return queues;
}

std::optional<JobRow> lock_job_to_lease(Transaction& tx, const std::string& queue,
                                        std::int64_t namespace_id) {
  const auto row = tx.exec_optional(kLockJobToLease, queue, namespace_id);
  if (!row) return std::nullopt;
  return lock_job_by_id(tx, at<std::int64_t>(*row, "id"));
}

void start_job_attempt(Transaction& tx, const NewAttempt& attempt) {
  tx.exec(kStartJobAttempt, attempt.job_id, attempt.number, attempt.secret_hash,
          attempt.agent, attempt.agent_id, attempt.lease_seconds, attempt.now);
}

std::optional<AttemptHolderRow> find_attempt_holder(Transaction& tx,
                                                    const Digest& secret_hash) {
  const auto row = tx.exec_optional(kFindAttemptHolder, secret_hash);
  if (!row) return std::nullopt;
  AttemptHolderRow holder{.job_id = at<std::int64_t>(*row, "job_id"),
                          .job_uuid = at<std::string>(*row, "job_uuid"),
                          .number = at<std::int32_t>(*row, "number"),
                          .is_over = at<bool>(*row, "is_over"),
                          .state = at<std::string>(*row, "state"),
                          .owner_id = at<std::int64_t>(*row, "owner_id"),
                          .owner = at<std::string>(*row, "owner"),
                          .owner_is_admin = at<bool>(*row, "owner_is_admin"),
                          .target_id = at<std::int64_t>(*row, "target_id"),
                          .input_namespaces = {}};
  for (const Row& input : tx.exec(kListInputNamespaces, holder.job_id)) {
    holder.input_namespaces.push_back(at<std::int64_t>(input, "namespace_id"));
  }
  return holder;
}

bool share_live_attempt(Transaction& tx, std::int64_t job_id, std::int32_t number) {
  return tx.exec_optional(kShareLiveAttempt, job_id, number).has_value();
}

std::optional<JobRow> lock_live_attempt(Transaction& tx, std::int64_t job_id,
                                        std::int32_t number) {
  auto job = lock_job_by_id(tx, job_id);
  if (!job || job->attempt != number || !job->is_leased()) return std::nullopt;
  return job;
}

void extend_job_lease(Transaction& tx, std::int64_t job_id, Timestamp expires_at) {
  tx.exec(kExtendJobLease, job_id, expires_at);
}

void set_job_running(Transaction& tx, std::int64_t job_id) {
  tx.exec(kSetJobRunning, job_id);
}

void set_job_run(Transaction& tx, std::int64_t job_id, const std::string& run) {
  tx.exec(kSetJobRun, job_id, run);
}

void set_run_attempt(Transaction& tx, std::int64_t run_id, std::int64_t job_id,
                     std::int32_t number) {
  tx.exec(kSetRunAttempt, run_id, job_id, number);
}

void end_runs_of_attempt(Transaction& tx, std::int64_t job_id, std::int32_t number,
                         const std::string& status, Timestamp at) {
  tx.exec(kEndRunsOfAttempt, job_id, number, status, at);
}

void set_job_version(Transaction& tx, std::int64_t job_id, std::int64_t version_id) {
  tx.exec(kSetJobVersion, job_id, version_id);
}

void request_job_cancel(Transaction& tx, std::int64_t job_id, const std::string& reason) {
  tx.exec(kRequestJobCancel, job_id, reason);
}

void end_job(Transaction& tx, std::int64_t job_id, const JobEnd& end) {
  tx.exec(kEndJob, job_id, end.state, end.at, end.exit_status, end.resources);
}

std::optional<std::string> find_attempt_outcome(Transaction& tx, std::int64_t job_id,
                                                std::int32_t number) {
  const auto row = tx.exec_optional(kFindAttemptOutcome, job_id, number);
  if (!row) return std::nullopt;
  return at<std::string>(*row, "outcome");
}

std::int64_t count_attempts_with_outcome(Transaction& tx, std::int64_t job_id,
                                         const std::string& outcome) {
  const Row row = tx.exec_one(kCountAttemptsWithOutcome, job_id, outcome);
  return at<std::int64_t>(row, "attempts");
}

void end_job_attempt(Transaction& tx, std::int64_t job_id, std::int32_t number,
                     const std::string& outcome, Timestamp at) {
  tx.exec(kEndJobAttempt, job_id, number, outcome, at);
}

void requeue_job(Transaction& tx, std::int64_t job_id, const Requeue& requeue) {
  tx.exec(kRequeueJob, job_id, requeue.not_before, requeue.attempts_max,
          requeue.needs_commit, requeue.now);
}

void plan_job(Transaction& tx, std::int64_t job_id, std::int64_t target_id,
              const std::optional<std::string>& hyperparameters) {
  tx.exec(kPlanJob, job_id, target_id, hyperparameters);
}

std::vector<std::int64_t> lock_jobs_with_expired_leases(Transaction& tx, Timestamp now,
                                                        std::int64_t limit) {
  std::vector<std::int64_t> jobs;
  for (const Row& row : tx.exec(kLockJobsWithExpiredLeases, now, limit)) {
    jobs.push_back(at<std::int64_t>(row, "id"));
  }
  return jobs;
}

std::optional<Timestamp> record_job_upkeep(Transaction& tx, Timestamp now) {
  const auto row = tx.exec_optional(kLockJobUpkeep);
  tx.exec(kRecordJobUpkeep, now);
  if (!row) return std::nullopt;
  return at<Timestamp>(*row, "looked_at");
}

std::int64_t renew_job_leases(Transaction& tx, Timestamp now) {
  return tx.exec_counting(kRenewJobLeases, now);
}

}  // namespace mendel::schema
