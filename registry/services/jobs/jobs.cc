#include "registry/services/jobs/jobs.h"

#include <fmt/format.h>

#include <utility>

#include "registry/services/jobs/attempt_end.h"
#include "registry/services/namespace_rows.h"
#include "schema/job_attempts.h"
#include "storage/base/error.h"
#include "storage/base/uuid.h"

namespace mendel::registry {

namespace {

constexpr int kPlansMax = 4;  // while somebody keeps changing the pipeline

schema::JobRow lock(schema::Transaction& tx, std::string_view uuid) {
  auto job = schema::lock_job(tx, uuid);
  if (!job) throw no_job(uuid);
  return *std::move(job);
}

[[noreturn]] void refuse(const std::string& why) {
  throw Error(ErrorCode::already_exists, why);
}

void require_ended_without_effect(const schema::JobRow& job) {
  if (!job.has_ended())
    refuse(fmt::format("job {} is {}: it has not ended", job.uuid, job.state));
  if (job.version_id) {
    refuse(
        fmt::format("job {} has made {}: make another job instead", job.uuid, job.version));
  }
  if (!job.pipeline_id) {
    refuse(
        fmt::format("the pipeline {} of job {} was deleted", job.pipeline_name, job.uuid));
  }
}

}  // namespace

Error no_job(std::string_view uuid) {
  return Error(ErrorCode::not_found, "no job " + std::string(uuid));
}

void JobService::announce(const Queues& queues) {
  for (const std::string& queue : queues) changes_.announce(queue_topic(queue));
}

std::optional<schema::JobRow> JobService::find_earlier(const JobRequest& request) {
  if (!request.uuid) return std::nullopt;
  auto job = database_.read("find a job", [&](schema::Transaction& tx) {
    return schema::find_job(tx, *request.uuid);
  });
  if (job && job->request_digest != request.digest) {
    throw Error(ErrorCode::unprocessable, "this id was used for another job before",
                {{"/id", "was used for another job before"}});
  }
  return job;
}

JobService::Created JobService::create(PipelineId pipeline, const JobRequest& request) {
  if (auto earlier = find_earlier(request)) return {*std::move(earlier), false};
  for (int left = kPlansMax;; --left) {
    const JobMaking::Plan plan = making_.plan(pipeline);
    try {
      const std::string uuid = database_.transact(
          "make a job",
          [&](schema::Transaction& tx) { return making_.insert(tx, plan, request); });
      making_.announce(plan.spec.queue);
      return {get(uuid), true};
    } catch (const Error& error) {
      if (error.code() != ErrorCode::aborted || left == 1) throw;
    }
  }
}

std::optional<schema::JobRow> JobService::find(std::string_view uuid) {
  if (!is_uuid(uuid)) return std::nullopt;
  return database_.read(
      "find a job", [&](schema::Transaction& tx) { return schema::find_job(tx, uuid); });
}

schema::JobRow JobService::get(std::string_view uuid) {
  auto job = find(uuid);
  if (!job) throw no_job(uuid);
  return *std::move(job);
}

std::string JobService::wait_of(schema::Transaction& tx, const schema::JobRow& job) {
  if (job.state != "queued") return "";
  if (job.needs_commit) {
    const std::string wait =
        fmt::format("the commit of {} in {}", *job.source_ref, *job.source_repository);
    return job.resolve_problem.empty() ? wait : wait + ": " + job.resolve_problem;
  }
  if (job.admitted) return fmt::format("an agent of the queue {}", job.queue);
  if (job.not_before && *job.not_before > clock_.now()) {
    return "the pause after a failure, until " + format_rfc3339(*job.not_before);
  }
  const auto pipeline = schema::find_pipeline_by_id(tx, *job.pipeline_id);
  if (pipeline && pipeline->concurrency &&
      schema::count_admitted_jobs(tx, pipeline->id) >= *pipeline->concurrency) {
    return fmt::format("its turn: the pipeline runs {} at once", *pipeline->concurrency);
  }
  if (pipeline && pipeline->per_day) {
    return fmt::format("its turn: the pipeline runs {} a day", *pipeline->per_day);
  }
  return "its turn";
}

JobService::Details JobService::details(const schema::JobRow& job) {
  return database_.read("look at a job", [&](schema::Transaction& tx) {
    return Details{schema::list_job_transitions(tx, job.id), wait_of(tx, job)};
  });
}

Page<schema::JobRow> JobService::list(const Caller& caller, const schema::JobFilter& filter,
                                      const PageRequest& page) {
  auto rows = database_.read("list jobs", [&](schema::Transaction& tx) {
    return schema::list_jobs(tx, viewer_for(caller), filter, id_after(page),
                             static_cast<std::int64_t>(page.limit) + 1);
  });
  return page_of<schema::JobRow>(
      std::move(rows), page, [](const schema::JobRow& row) { return row; },
      [](const schema::JobRow& row) { return std::to_string(row.id); });
}

void JobService::cancel(const Caller& caller, std::string_view uuid,
                        const std::string& reason) {
  announce(database_.transact("cancel a job", [&](schema::Transaction& tx) -> Queues {
    const Timestamp now = clock_.now();
    const schema::JobRow job = lock(tx, uuid);
    if (job.has_ended()) refuse(fmt::format("job {} is {} already", job.uuid, job.state));
    if (job.is_leased()) {
      schema::request_job_cancel(tx, job.id, caller.name + ": " + reason);
      return {};
    }
    schema::end_job(tx, job.id,
                    {.state = "cancelled",
                     .at = now,
                     .exit_status = std::nullopt,
                     .resources = std::nullopt});
    move_job(tx, job, "cancelled", caller.name, reason, now);
    return admit_waiting_jobs_of(tx, *job.pipeline_id, now);
  }));
}

void JobService::retry(const Caller& caller, std::string_view uuid,
                       const std::string& reason) {
  const schema::JobRow before = get(uuid);
  require_ended_without_effect(before);
  std::optional<JobMaking::Plan> plan;
  if (!before.is_planned) plan = making_.plan(*before.pipeline_id);

  announce(database_.transact("retry a job", [&](schema::Transaction& tx) {
    const Timestamp now = clock_.now();
    const schema::JobRow job = lock(tx, uuid);
    require_ended_without_effect(job);
    const PipelineSpec spec = PipelineSpec::parse(job.specification);
    if (plan && !job.is_planned) making_.complete(tx, job, *plan);
    schema::requeue_job(tx, job.id,
                        {.not_before = std::nullopt,
                         .attempts_max = job.attempt + spec.attempts_max,
                         .needs_commit = spec.source && !job.source_commit &&
                                         !spec.source->is_resolved_by_agent,
                         .now = now});
    move_job(tx, job, "queued", caller.name, reason, now);
    return admit_waiting_jobs_of(tx, *job.pipeline_id, now);
  }));
}

}  // namespace mendel::registry
