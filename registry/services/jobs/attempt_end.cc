#include "registry/services/jobs/attempt_end.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "registry/services/jobs/pipeline_spec.h"
#include "schema/job_attempts.h"

namespace mendel::registry {

namespace {

constexpr std::int64_t kPauseSecondsMax = 3600;
constexpr std::string_view kServer = "server";
constexpr const char* kUnheard = "unheard";
constexpr std::int64_t kUnheardMax = 10;

std::string run_status(const std::string& job_state) {
  if (job_state == "succeeded") return "finished";
  return job_state == "failed" ? "failed" : "killed";
}

// What counts is what the job did, and what was asked of it, before how it ended.
AttemptEnd judged(const schema::JobRow& job, AttemptEnd end) {
  if (job.version_id && end.state != "succeeded") {
    end.reason = fmt::format("{} was published, and then it was {}: {}", job.version,
                             end.state, end.reason);
    end.state = "succeeded";
  } else if (job.cancel_requested && end.state == "lost") {
    end.state = "cancelled";
    end.reason = job.cancel_reason + " (" + end.reason + ")";
  }
  return end;
}

bool may_be_repeated(const schema::JobRow& job, const AttemptEnd& end) {
  const bool went_wrong = end.state == "failed" || end.state == "lost";
  return went_wrong && end.may_be_repeated && !job.cancel_requested;
}

// The answer to a lease may be lost on its way: then nobody ever worked at the attempt. A
// job has some of these beside those that it is allowed.
bool was_never_heard_of(const schema::JobRow& job, const AttemptEnd& end) {
  return end.state == "lost" && job.state == "starting";
}

// With this attempt already ended.
std::int32_t attempts_max_after(schema::Transaction& tx, const schema::JobRow& job,
                                bool was_unheard) {
  if (!was_unheard) return job.attempts_max;
  const auto unheard = schema::count_attempts_with_outcome(tx, job.id, kUnheard);
  return job.attempts_max + (unheard <= kUnheardMax ? 1 : 0);
}

void repeat(schema::Transaction& tx, const schema::JobRow& job, const std::string& from,
            std::int32_t attempts_max, Timestamp now) {
  const PipelineSpec spec = PipelineSpec::parse(job.specification);
  const std::int32_t earlier = attempts_max - spec.attempts_max;
  const auto pause = pause_after(job.attempt - earlier, spec.backoff_seconds);
  schema::requeue_job(
      tx, job.id,
      {.not_before = pause.count() > 0 ? std::optional(now + pause) : std::nullopt,
       .attempts_max = attempts_max,
       .needs_commit = false,
       .now = now});
  schema::insert_job_transition(
      tx, {.job_id = job.id,
           .at = now,
           .actor = std::string(kServer),
           .from = from,
           .to = "queued",
           .reason = fmt::format("attempt {} of {} follows after {} s", job.attempt + 1,
                                 attempts_max, pause.count())});
}

}  // namespace

std::chrono::seconds pause_after(std::int32_t attempts, std::int32_t backoff_seconds) {
  constexpr std::int32_t kDoublingsMax = 12;
  const std::int32_t doublings = std::clamp(attempts - 1, 0, kDoublingsMax);
  return std::chrono::seconds(
      std::min(std::int64_t{backoff_seconds} << doublings, kPauseSecondsMax));
}

void move_job(schema::Transaction& tx, const schema::JobRow& job, const std::string& to,
              const std::string& actor, const std::string& reason, Timestamp now) {
  schema::insert_job_transition(tx, {.job_id = job.id,
                                     .at = now,
                                     .actor = actor,
                                     .from = job.state,
                                     .to = to,
                                     .reason = reason});
}

Queues fail_job(schema::Transaction& tx, const schema::JobRow& job,
                const std::string& reason, Timestamp now) {
  schema::end_job(tx, job.id,
                  {.state = "failed",
                   .at = now,
                   .exit_status = std::nullopt,
                   .resources = std::nullopt});
  move_job(tx, job, "failed", std::string(kServer), reason, now);
  if (!job.pipeline_id) return {};
  return admit_waiting_jobs_of(tx, *job.pipeline_id, now);
}

Queues end_attempt(schema::Transaction& tx, const schema::JobRow& job,
                   const AttemptEnd& told, Timestamp now) {
  const AttemptEnd end = judged(job, told);
  const bool was_unheard = was_never_heard_of(job, end);
  schema::end_job_attempt(tx, job.id, job.attempt, was_unheard ? kUnheard : end.state, now);
  schema::end_runs_of_attempt(tx, job.id, job.attempt, run_status(end.state), now);
  schema::end_job(tx, job.id,
                  {.state = end.state,
                   .at = now,
                   .exit_status = end.exit_status,
                   .resources = end.resources});
  move_job(tx, job, end.state, end.actor, end.reason, now);
  const std::int32_t attempts_max = attempts_max_after(tx, job, was_unheard);
  if (may_be_repeated(job, end) && job.attempt < attempts_max) {
    repeat(tx, job, end.state, attempts_max, now);
  }
  if (!job.pipeline_id) return {};
  return admit_waiting_jobs_of(tx, *job.pipeline_id, now);
}

}  // namespace mendel::registry
