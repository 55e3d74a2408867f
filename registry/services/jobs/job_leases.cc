#include "registry/services/jobs/job_leases.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "registry/services/jobs/attempt_end.h"
#include "registry/services/jobs/jobs.h"
#include "registry/services/jobs/pipeline_spec.h"
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

// The job as start_job_attempt() leaves it.
schema::JobRow started(schema::JobRow job, const schema::NewAttempt& attempt) {
  job.state = "starting";
  job.attempt = attempt.number;
  job.agent = attempt.agent;
  job.agent_id = attempt.agent_id;
  job.lease_seconds = attempt.lease_seconds;
  job.lease_expires_at = attempt.now + std::chrono::seconds(attempt.lease_seconds);
  job.started_at = attempt.now;
  job.run.clear();
  job.exit_status.reset();
  job.resources = "{}";
  job.log_size = 0;
  return job;
}

schema::JobRow start(schema::Transaction& tx, schema::JobRow job,
                     const schema::NewAttempt& attempt) {
  schema::start_job_attempt(tx, attempt);
  move_job(tx, job, "starting", attempt.agent,
           fmt::format("attempt {} of {}", attempt.number, job.attempts_max), attempt.now);
  return started(std::move(job), attempt);
}

bool is_finished(schema::Transaction& tx, const Caller& caller,
                 const JobLeases::AttemptKey& attempt, const JobLeases::Finish& finish) {
  if (!caller.attempt || caller.attempt->job != attempt.uuid ||
      caller.attempt->number != attempt.number) {
    return false;
  }
  const auto outcome =
      schema::find_attempt_outcome(tx, caller.attempt->job_id, attempt.number);
  return outcome == finish.status;
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

void JobLeases::announce(const Queues& queues) {
  for (const std::string& queue : queues) changes_.announce(queue_topic(queue));
}

// A job without its secrets would fail wherever it is leased. It fails here, for what
// cannot be leased must not stand in the way of those behind it.
std::optional<std::map<std::string, std::string>> JobLeases::open_secrets(
    schema::Transaction& tx, const schema::JobRow& job, Queues& queues) {
  const PipelineSpec spec = PipelineSpec::parse(job.specification);
  std::map<std::string, std::string> secrets;
  if (spec.secrets.empty()) return secrets;
  std::vector<std::string> names;
  for (const auto& [variable, name] : spec.secrets) names.push_back(name);
  try {
    const auto values = vault_.open(tx, job.namespace_id, names);
    for (const auto& [variable, name] : spec.secrets) secrets[variable] = values.at(name);
    return secrets;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::failed_precondition) throw;
    queues.merge(fail_job(tx, job, error.what(), clock_.now()));
    return std::nullopt;
  }
}

std::optional<JobLeases::Lease> JobLeases::lease_oldest(schema::Transaction& tx,
                                                        const Caller& agent,
                                                        const Request& request,
                                                        const std::string& token,
                                                        Queues& queues) {
  const schema::LeaseViewer viewer{.principal_id = *agent.principal,
                                   .sees_all = agent.is_admin,
                                   .only_namespace = agent.only_namespace};
  for (const auto ns : schema::list_namespaces_to_lease(tx, request.queue, viewer)) {
    while (auto job = schema::lock_job_to_lease(tx, request.queue, ns)) {
      auto secrets = open_secrets(tx, *job, queues);
      if (!secrets) continue;
      const schema::NewAttempt attempt{.job_id = job->id,
                                       .number = job->attempt + 1,
                                       .secret_hash = Digest::of(token),
                                       .agent = request.agent,
                                       .agent_id = *agent.principal,
                                       .lease_seconds = request.lease_seconds,
                                       .now = clock_.now()};
      return Lease{start(tx, *std::move(job), attempt), token, *std::move(secrets)};
    }
  }
  return std::nullopt;
}

std::optional<JobLeases::Lease> JobLeases::lease(const Caller& agent,
                                                 const Request& request) {
  const std::string token = make_secret();
  Queues queues;
  auto lease = database_.transact("lease a job", [&](schema::Transaction& tx) {
    queues.clear();
    return lease_oldest(tx, agent, request, token, queues);
  });
  announce(queues);
  return lease;
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

// An agent whose first answer was lost asks again, when its attempt has ended as it said.
void JobLeases::finish(const Caller& caller, const AttemptKey& attempt,
                       const Finish& finish) {
  const auto queues =
      database_.transact("finish a job", [&](schema::Transaction& tx) -> Queues {
        if (is_finished(tx, caller, attempt, finish)) return {};
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
  announce(queues);
}

}  // namespace mendel::registry
