#include "schema/job_sources.h"

#include "schema/transaction.h"

namespace mendel::schema {

namespace {

// The first job of a source stands for all of them: who claims it claims the source.
constexpr Statement kClaimWantedSource{"claim_wanted_source", R"sql(
  with due as (
    select id, source_repository, source_ref, resolve_failures
      from job
     where needs_commit and resolve_at <= $1
     order by resolve_at, id
     limit 1
       for no key update skip locked
  ), claimed as (
    update job j
       set resolve_at = $2
      from due d
     where j.needs_commit and j.source_repository = d.source_repository
       and j.source_ref = d.source_ref
    returning j.created_at
  )
  select d.source_repository, d.source_ref, d.resolve_failures,
         (select min(created_at) from claimed) as since
    from due d
)sql"};

constexpr Statement kKeepClaim{"keep_claim_of_source", R"sql(
  update job
     set resolve_at = $4
   where needs_commit and source_repository = $1 and source_ref = $2 and resolve_at = $3
)sql"};

constexpr Statement kSetCommitOfJobs{"set_commit_of_jobs", R"sql(
  with found as (
    update job
       set source_commit = $3, needs_commit = false, resolve_at = null, resolve_problem = ''
     where needs_commit and source_repository = $1 and source_ref = $2
       and created_at <= $4
    returning pipeline_id
  )
  select distinct pipeline_id from found where pipeline_id is not null order by 1
)sql"};

constexpr Statement kPostponeSource{"postpone_source", R"sql(
  update job
     set resolve_at = $4, resolve_failures = resolve_failures + 1, resolve_problem = $3
   where needs_commit and source_repository = $1 and source_ref = $2
)sql"};

constexpr Statement kLockJobsWaitingForSource{"lock_jobs_waiting_for_source", R"sql(
  select id
    from job
   where needs_commit and source_repository = $1 and source_ref = $2 and created_at <= $3
   order by id
     for no key update
)sql"};

}  // namespace

std::optional<WantedSource> claim_wanted_source(Transaction& tx, Timestamp now,
                                                Timestamp claimed_until) {
  const auto row = tx.exec_optional(kClaimWantedSource, now, claimed_until);
  if (!row) return std::nullopt;
  return WantedSource{.repository = at<std::string>(*row, "source_repository"),
                      .ref = at<std::string>(*row, "source_ref"),
                      .failures = at<std::int32_t>(*row, "resolve_failures"),
                      .since = at<std::optional<Timestamp>>(*row, "since").value_or(now),
                      .claimed_until = claimed_until};
}

void keep_claim(Transaction& tx, const WantedSource& source, Timestamp claimed_until) {
  tx.exec(kKeepClaim, source.repository, source.ref, source.claimed_until, claimed_until);
}

std::vector<std::int64_t> set_commit_of_jobs(Transaction& tx, const WantedSource& source,
                                             const std::string& commit,
                                             Timestamp asked_at) {
  std::vector<std::int64_t> pipelines;
  for (const Row& row :
       tx.exec(kSetCommitOfJobs, source.repository, source.ref, commit, asked_at)) {
    pipelines.push_back(at<std::int64_t>(row, "pipeline_id"));
  }
  return pipelines;
}

void postpone_source(Transaction& tx, const WantedSource& source,
                     const std::string& problem, Timestamp retry_at) {
  tx.exec(kPostponeSource, source.repository, source.ref, problem, retry_at);
}

std::vector<std::int64_t> lock_jobs_waiting_for_source(Transaction& tx,
                                                       const WantedSource& source,
                                                       Timestamp made_before) {
  std::vector<std::int64_t> jobs;
  for (const Row& row :
       tx.exec(kLockJobsWaitingForSource, source.repository, source.ref, made_before)) {
    jobs.push_back(at<std::int64_t>(row, "id"));
  }
  return jobs;
}

}  // namespace mendel::schema
