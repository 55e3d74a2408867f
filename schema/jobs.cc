#include "schema/jobs.h"

#include "schema/transaction.h"

namespace mendel::schema {

namespace {

// Every query for jobs reads the same columns; they differ in how jobs are found.
#define MENDEL_JOB_COLUMNS                                                               \
  "select j.id, j.uuid::text, j.request_digest, j.namespace_id, "                        \
  "n.name as namespace_name, j.pipeline_id, j.pipeline_name, j.owner_id, j.trigger_id, " \
  "j.trigger_name, j.reason, j.created_at, j.created_by, j.state, j.queue, "             \
  "j.specification, j.target_id, j.is_planned, "                                         \
  "coalesce(j.hyperparameters, '') as hyperparameters, j.source_repository, "            \
  "j.source_ref, j.source_commit, j.needs_commit, j.resolve_problem, j.admitted, "       \
  "j.not_before, j.attempt, j.attempts_max, j.lease_seconds, j.lease_expires_at, "       \
  "j.agent, j.agent_id, j.cancel_requested, j.cancel_reason, j.started_at, "             \
  "j.finished_at, j.version_id, "                                                        \
  "coalesce((select vn.name || '/' || va.name || ':' || v.number "                       \
  "            from version v join artifact va on va.id = v.artifact_id "                \
  "            join namespace vn on vn.id = va.namespace_id "                            \
  "           where v.id = j.version_id), '') as version, "                              \
  "coalesce(j.run::text, '') as run, j.exit_status, j.resources, j.log_kept, "           \
  "coalesce((select b.log_kept from job_attempt b "                                      \
  "           where b.job_id = j.id and b.number = j.attempt), 0) as log_size, "         \
  "(select coalesce(json_agg(json_build_object("                                         \
  "   'role', e.role, 'name', e.name, "                                                  \
  "   'ref', tn.name || '/' || ta.name || ':' || t.number, "                             \
  "   'digest', 'sha256:' || encode(t.digest, 'hex')) order by e.position)::text, '') "  \
  "   from job_input e join version t on t.id = e.target_id "                            \
  "   join artifact ta on ta.id = t.artifact_id "                                        \
  "   join namespace tn on tn.id = ta.namespace_id "                                     \
  "  where e.job_id = j.id) as inputs "
#define MENDEL_JOBS  \
  MENDEL_JOB_COLUMNS \
  "from job j join namespace n on n.id = j.namespace_id "

constexpr Statement kFindJob{"find_job", MENDEL_JOBS "where j.uuid = $1"};

constexpr Statement kLockJob{"lock_job",
                             MENDEL_JOBS "where j.uuid = $1 for no key update of j"};

constexpr Statement kLockJobById{"lock_job_by_id",
                                 MENDEL_JOBS "where j.id = $1 for no key update of j"};

// From each namespace no more than a page, so that what others have done is not read.
constexpr Statement kListJobs{
    "list_jobs", MENDEL_JOB_COLUMNS
    "from namespace n left join membership m "
    "  on m.namespace_id = n.id and m.principal_id = $1 "
    "cross join lateral ("
    "  select * from job i where i.namespace_id = n.id "
    "     and ($6::bigint is null or i.pipeline_id = $6) "
    "     and ($7::text is null or i.state = $7) "
    "     and ($8::bigint is null or i.id < $8) "
    "   order by i.id desc limit $9) j "
    "where ($2::boolean or n.visibility = 'public' "
    "       or (n.visibility = 'internal' and $3::boolean) or m.role is not null) "
    "  and ($4::bigint is null or n.id = $4) "
    "  and ($5::text is null or n.folded_name = $5) "
    "order by j.id desc limit $9"};

#undef MENDEL_JOBS
#undef MENDEL_JOB_COLUMNS

constexpr Statement kInsertJob{"insert_job", R"sql(
  insert into job (uuid, request_digest, namespace_id, pipeline_id, pipeline_name, owner_id,
                   trigger_id, trigger_name, chain, reason, created_at, created_by, state,
                   queue, specification, target_id, is_planned, hyperparameters,
                   source_repository, source_ref, source_commit, needs_commit, resolve_at,
                   attempts_max, finished_at)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9::bigint[], $10, $11::timestamptz, $12, $13, $14, $15, $16,
          $17, $18, $19, $20, $21, $22::boolean, case when $22::boolean then $11::timestamptz end, $23,
          case when $13::text = 'failed' then $11::timestamptz end)
  on conflict on constraint job_uuid_is_unique do nothing
  returning id
)sql"};

constexpr Statement kInsertJobInputs{"insert_job_inputs", R"sql(
  insert into job_input (job_id, position, role, name, target_id)
  select $1::bigint, position, role, name, target_id
    from unnest($2::text[], $3::text[], $4::bigint[])
         with ordinality as new (role, name, target_id, position)
)sql"};

constexpr Statement kListJobInputs{"list_job_inputs", R"sql(
  select role, name, target_id from job_input where job_id = $1 order by position
)sql"};

constexpr Statement kInsertJobTransition{"insert_job_transition", R"sql(
  insert into job_transition (job_id, at, actor, from_state, to_state, reason)
  values ($1, $2, $3, $4, $5, $6)
)sql"};

constexpr Statement kListJobTransitions{"list_job_transitions", R"sql(
  select at, actor, from_state, to_state, reason
    from job_transition where job_id = $1 order by id
)sql"};

constexpr Statement kChainOfJob{"chain_of_job", R"sql(
  select link
    from job, unnest(chain || case when trigger_id is null or trigger_id = any(chain)
                                   then '{}'::bigint[] else array[trigger_id] end)
              with ordinality as links (link, position)
   where job.id = $1 order by position
)sql"};

constexpr Statement kCountAdmittedJobs{"count_admitted_jobs", R"sql(
  select count(*) as admitted from job where pipeline_id = $1 and admitted
)sql"};

constexpr Statement kCountJobsAdmittedSince{"count_jobs_admitted_since", R"sql(
  select count(*) as admitted
    from job
   where pipeline_id = $1 and admitted_at > $2
     and (finished_at is null or version_id is not null)
)sql"};

// A range of one pipeline, so that job_waiting alone has the order that is asked for.
constexpr Statement kLockWaitingJobs{"lock_waiting_jobs", R"sql(
  select id, queue, coalesce(admitted_at > $3, false) as was_admitted_since
    from job
   where pipeline_id >= $1 and pipeline_id <= $1
     and state = 'queued' and not admitted and not needs_commit
     and (not_before is null or not_before <= $2)
   order by pipeline_id, id
   limit $4
     for no key update skip locked
)sql"};

constexpr Statement kAdmitJobs{"admit_jobs", R"sql(
  update job
     set admitted = true, admitted_at = coalesce(admitted_at, $2), not_before = null
   where id = any($1::bigint[])
)sql"};

// Goes from pipeline to pipeline through the index of waiting jobs, whose first entries
// alone are read.
constexpr Statement kListPipelinesWithWaitingJobs{"list_pipelines_with_waiting_jobs", R"sql(
  with recursive waiting (pipeline_id) as (
      (select pipeline_id
         from job
        where state = 'queued' and not admitted and not needs_commit and pipeline_id > $2
        order by pipeline_id, id limit 1)
    union all
      select (select j.pipeline_id
                from job j
               where j.state = 'queued' and not j.admitted and not j.needs_commit
                 and j.pipeline_id > w.pipeline_id
               order by j.pipeline_id, j.id limit 1)
        from waiting w
       where w.pipeline_id is not null
  )
  select w.pipeline_id
    from waiting w
   where w.pipeline_id is not null
     and exists (select from job j
                  where j.pipeline_id = w.pipeline_id and j.state = 'queued'
                    and not j.admitted and not j.needs_commit
                    and (j.not_before is null or j.not_before <= $1))
   limit $3
)sql"};

JobRow job(const Row& row) {
  return {.id = at<std::int64_t>(row, "id"),
          .uuid = at<std::string>(row, "uuid"),
          .request_digest = at<std::optional<Digest>>(row, "request_digest"),
          .namespace_id = at<std::int64_t>(row, "namespace_id"),
          .namespace_name = at<std::string>(row, "namespace_name"),
          .pipeline_id = at<std::optional<std::int64_t>>(row, "pipeline_id"),
          .pipeline_name = at<std::string>(row, "pipeline_name"),
          .owner_id = at<std::int64_t>(row, "owner_id"),
          .trigger_id = at<std::optional<std::int64_t>>(row, "trigger_id"),
          .trigger_name = at<std::string>(row, "trigger_name"),
          .reason = at<std::string>(row, "reason"),
          .created_at = at<Timestamp>(row, "created_at"),
          .created_by = at<std::string>(row, "created_by"),
          .state = at<std::string>(row, "state"),
          .queue = at<std::string>(row, "queue"),
          .specification = at<std::string>(row, "specification"),
          .target_id = at<std::int64_t>(row, "target_id"),
          .is_planned = at<bool>(row, "is_planned"),
          .hyperparameters = at<std::string>(row, "hyperparameters"),
          .source_repository = at<std::optional<std::string>>(row, "source_repository"),
          .source_ref = at<std::optional<std::string>>(row, "source_ref"),
          .source_commit = at<std::optional<std::string>>(row, "source_commit"),
          .needs_commit = at<bool>(row, "needs_commit"),
          .resolve_problem = at<std::string>(row, "resolve_problem"),
          .admitted = at<bool>(row, "admitted"),
          .not_before = at<std::optional<Timestamp>>(row, "not_before"),
          .attempt = at<std::int32_t>(row, "attempt"),
          .attempts_max = at<std::int32_t>(row, "attempts_max"),
          .lease_seconds = at<std::optional<std::int32_t>>(row, "lease_seconds"),
          .lease_expires_at = at<std::optional<Timestamp>>(row, "lease_expires_at"),
          .agent = at<std::string>(row, "agent"),
          .agent_id = at<std::optional<std::int64_t>>(row, "agent_id"),
          .cancel_requested = at<bool>(row, "cancel_requested"),
          .cancel_reason = at<std::string>(row, "cancel_reason"),
          .started_at = at<std::optional<Timestamp>>(row, "started_at"),
          .finished_at = at<std::optional<Timestamp>>(row, "finished_at"),
          .version_id = at<std::optional<std::int64_t>>(row, "version_id"),
          .version = at<std::string>(row, "version"),
          .run = at<std::string>(row, "run"),
          .exit_status = at<std::optional<std::int32_t>>(row, "exit_status"),
          .resources = at<std::string>(row, "resources"),
          .log_kept = at<std::int64_t>(row, "log_kept"),
          .log_size = at<std::int64_t>(row, "log_size"),
          .inputs = at<std::string>(row, "inputs")};
}

std::optional<JobRow> job(const std::optional<Row>& row) {
  if (!row) return std::nullopt;
  return job(*row);
}

}  // namespace

std::optional<std::int64_t> insert_job(Transaction& tx, const NewJob& job) {
  const auto row = tx.exec_optional(
      kInsertJob, job.uuid, job.request_digest, job.namespace_id, job.pipeline_id,
      job.pipeline_name, job.owner_id, job.trigger_id, job.trigger_name,
      array_of(job.chain), job.reason, job.created_at, job.created_by, job.state, job.queue,
      job.specification, job.target_id, job.is_planned, job.hyperparameters,
      job.source_repository, job.source_ref, job.source_commit, job.needs_commit,
      job.attempts_max);
  if (!row) return std::nullopt;
  return at<std::int64_t>(*row, "id");
}

void insert_job_inputs(Transaction& tx, std::int64_t job_id,
                       std::span<const NewEdge> inputs) {
  if (inputs.empty()) return;
  tx.exec(kInsertJobInputs, job_id, array_of(inputs, &NewEdge::role),
          array_of(inputs, &NewEdge::name), array_of(inputs, &NewEdge::target_id));
}

std::vector<NewEdge> list_job_inputs(Transaction& tx, std::int64_t job_id) {
  std::vector<NewEdge> inputs;
  for (const Row& row : tx.exec(kListJobInputs, job_id)) {
    inputs.push_back({.role = at<std::string>(row, "role"),
                      .name = at<std::string>(row, "name"),
                      .target_id = at<std::int64_t>(row, "target_id"),
                      .uri = std::nullopt,
                      .digest = std::nullopt});
  }
  return inputs;
}

void insert_job_transition(Transaction& tx, const NewTransition& transition) {
  tx.exec(kInsertJobTransition, transition.job_id, transition.at, transition.actor,
          transition.from, transition.to, transition.reason);
}

std::vector<NewTransition> list_job_transitions(Transaction& tx, std::int64_t job_id) {
  std::vector<NewTransition> transitions;
  for (const Row& row : tx.exec(kListJobTransitions, job_id)) {
    transitions.push_back({.job_id = job_id,
                           .at = at<Timestamp>(row, "at"),
                           .actor = at<std::string>(row, "actor"),
                           .from = at<std::optional<std::string>>(row, "from_state"),
                           .to = at<std::string>(row, "to_state"),
                           .reason = at<std::string>(row, "reason")});
  }
  return transitions;
}

std::optional<JobRow> find_job(Transaction& tx, std::string_view uuid) {
  return job(tx.exec_optional(kFindJob, uuid));
}

std::optional<JobRow> lock_job(Transaction& tx, std::string_view uuid) {
  return job(tx.exec_optional(kLockJob, uuid));
}

std::optional<JobRow> lock_job_by_id(Transaction& tx, std::int64_t id) {
  return job(tx.exec_optional(kLockJobById, id));
}

std::vector<JobRow> list_jobs(Transaction& tx, const NamespaceViewer& viewer,
                              const JobFilter& filter, std::optional<std::int64_t> before,
                              std::int64_t limit) {
  std::vector<JobRow> jobs;
  for (const Row& row :
       tx.exec(kListJobs, viewer.member, viewer.sees_all, viewer.sees_internal,
               viewer.only_namespace, filter.folded_namespace, filter.pipeline_id,
               filter.state, before, limit)) {
    jobs.push_back(job(row));
  }
  return jobs;
}

std::vector<std::int64_t> chain_of_job(Transaction& tx, std::int64_t job_id) {
  std::vector<std::int64_t> chain;
  for (const Row& row : tx.exec(kChainOfJob, job_id)) {
    chain.push_back(at<std::int64_t>(row, "link"));
  }
  return chain;
}

std::int64_t count_admitted_jobs(Transaction& tx, std::int64_t pipeline_id) {
  return at<std::int64_t>(tx.exec_one(kCountAdmittedJobs, pipeline_id), "admitted");
}

std::int64_t count_jobs_admitted_since(Transaction& tx, std::int64_t pipeline_id,
                                       Timestamp since) {
  return at<std::int64_t>(tx.exec_one(kCountJobsAdmittedSince, pipeline_id, since),
                          "admitted");
}

std::vector<WaitingJob> lock_waiting_jobs(Transaction& tx, std::int64_t pipeline_id,
                                          Timestamp now, Timestamp since,
                                          std::int64_t limit) {
  std::vector<WaitingJob> jobs;
  for (const Row& row : tx.exec(kLockWaitingJobs, pipeline_id, now, since, limit)) {
    jobs.push_back({.id = at<std::int64_t>(row, "id"),
                    .queue = at<std::string>(row, "queue"),
                    .was_admitted_since = at<bool>(row, "was_admitted_since")});
  }
  return jobs;
}

void admit_jobs(Transaction& tx, std::span<const std::int64_t> job_ids, Timestamp now) {
  tx.exec(kAdmitJobs, array_of(job_ids), now);
}

std::vector<std::int64_t> list_pipelines_with_waiting_jobs(Transaction& tx, Timestamp now,
                                                           std::int64_t after,
                                                           std::int64_t limit) {
  std::vector<std::int64_t> pipelines;
  for (const Row& row : tx.exec(kListPipelinesWithWaitingJobs, now, after, limit)) {
    pipelines.push_back(at<std::int64_t>(row, "pipeline_id"));
  }
  return pipelines;
}

}  // namespace mendel::schema
