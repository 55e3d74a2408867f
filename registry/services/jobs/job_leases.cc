#include "registry/services/jobs/job_leases.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "registry/services/jobs/attempt_end.h"
#include "registry/services/jobs/jobs.h"
#include "registry/services/secret.h"
#include "schema/job_attempts.h"
#include "storage/base/digest.h"
#include "storage/base/error.h"

namespace mendel::registry {

namespace {

[[noreturn]] void refuse_field(const std::string& pointer, const std::string& detail) {
  throw Error(ErrorCode::unprocessable, pointer + ": " + detail, {{pointer, detail}});
}

bool is_agent_of(const Caller& caller, const schema::JobRow& job) {
  return caller.principal && caller.principal == job.agent_id;
}

std::string end_reason(const JobLeases::Finish& finish) {
  if (!finish.reason.empty()) return finish.reason;
  return finish.exit_status ? fmt::format("exit status {}", *finish.exit_status) : "";
}

void require_truth(const schema::JobRow& job, const JobLeases::Finish& finish) {
  if (finish.status == "succeeded" && !job.version_id) {
    refuse_field("/status", "nothing was published by this job, so it did not succeed");
  }
  if (finish.version && *finish.version != job.version) {
    refuse_field("/version", job.version_id ? "this job published " + job.version
                                            : "nothing was published by this job");
  }
}

}  // namespace

// An agent that has lost a job to another is told that its attempt is over, as it would be
// if nobody had the job.
schema::JobRow lock_attempt(schema::Transaction& tx, const Caller& caller,
                            const JobLeases::AttemptKey& attempt) {
  const bool is_its_token = caller.attempt && caller.attempt->job == attempt.uuid &&
                            caller.attempt->number == attempt.number;
  const bool is_an_agent = !caller.attempt && caller.scopes.has(Scope::agent);
  auto job = schema::lock_job(tx, attempt.uuid);
  if (!job) throw no_job(attempt.uuid);
  if (!is_its_token && !is_an_agent) {
    throw Error(ErrorCode::permission_denied, "this needs the token of the job's attempt");
  }
  const bool is_alive = job->attempt == attempt.number && job->is_leased();
  if (!is_alive || (is_an_agent && !is_agent_of(caller, *job))) {
    throw Error(ErrorCode::already_exists,
                fmt::format("attempt {} of job {} is over", attempt.number, job->uuid));
  }
  return *std::move(job);
}

std::optional<JobLeases::Lease> JobLeases::lease(const Caller& agent,
                                                 const Request& request) {
  const std::string secret = make_secret();
  return database_.transact(
      "lease a job", [&](schema::Transaction& tx) -> std::optional<Lease> {
        const Timestamp now = clock_.now();
        const schema::LeaseViewer viewer{.principal_id = *agent.principal,
                                         .sees_all = agent.is_admin,
                                         .only_namespace = agent.only_namespace};
        for (const auto ns : schema::list_namespaces_to_lease(tx, request.queue, viewer)) {
          const auto job = schema::lock_job_to_lease(tx, request.queue, ns);
          if (!job) continue;
          const std::int32_t number = job->attempt + 1;
          schema::start_job_attempt(tx, {.job_id = job->id,
                                         .number = number,
                                         .secret_hash = Digest::of(secret),
                                         .agent = request.agent,
                                         .agent_id = *agent.principal,
                                         .lease_seconds = request.lease_seconds,
                                         .now = now});
          move_job(tx, *job, "starting", request.agent,
                   fmt::format("attempt {} of {}", number, job->attempts_max), now);
          return Lease{schema::lock_job_by_id(tx, job->id).value(), secret};
        }
        return std::nullopt;
      });
}

JobLeases::Heartbeat JobLeases::record_heartbeat(const Caller& caller,
                                                 const AttemptKey& attempt,
                                                 bool is_running) {
  return database_.transact("record a heartbeat of a job", [&](schema::Transaction& tx) {
    const Timestamp now = clock_.now();
    const schema::JobRow job = lock_attempt(tx, caller, attempt);
    const Timestamp expires_at =
        std::max(*job.lease_expires_at, now + std::chrono::seconds(*job.lease_seconds));
    schema::extend_job_lease(tx, job.id, expires_at);
    if (is_running && job.state == "starting") {
      schema::set_job_running(tx, job.id);
      move_job(tx, job, "running", job.agent, "", now);
    }
    return Heartbeat{job.cancel_requested, expires_at};
  });
}

void JobLeases::finish(const Caller& caller, const AttemptKey& attempt,
                       const Finish& finish) {
  const Queues queues = database_.transact("finish a job", [&](schema::Transaction& tx) {
    const schema::JobRow job = lock_attempt(tx, caller, attempt);
    require_truth(job, finish);
    return end_attempt(tx, job,
                       {.state = finish.status,
                        .reason = end_reason(finish),
                        .actor = job.agent,
                        .exit_status = finish.exit_status,
                        .resources = finish.resources,
                        .may_be_repeated = finish.may_be_repeated},
                       clock_.now());
  });
  for (const std::string& queue : queues) changes_.announce(queue_topic(queue));
}

}  // namespace mendel::registry
