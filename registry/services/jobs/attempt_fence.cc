#include "registry/services/jobs/attempt_fence.h"

#include <fmt/format.h>

#include <algorithm>

#include "registry/services/jobs/pipeline_spec.h"
#include "schema/job_attempts.h"
#include "storage/base/environment_name.h"
#include "storage/base/error.h"

namespace mendel::registry {

namespace {

[[noreturn]] void refuse(ErrorCode code, const std::string& why) { throw Error(code, why); }

[[noreturn]] void refuse_ended(const JobAttempt& attempt) {
  refuse(ErrorCode::already_exists,
         fmt::format("attempt {} of job {} is over", attempt.number, attempt.job));
}

schema::JobRow lock_live(schema::Transaction& tx, const JobAttempt& attempt) {
  auto job = schema::lock_live_attempt(tx, attempt.job_id, attempt.number);
  if (!job) refuse_ended(attempt);
  return *std::move(job);
}

bool is_its_environment(const PipelineSpec& spec, const PublishedThing& thing) {
  return thing.kind == storage::ArtifactKind::environment && thing.aliases.empty() &&
         thing.artifact.folded() == environment_of(spec.artifact).folded();
}

}  // namespace

void require_live_attempt(schema::Transaction& tx, const Caller& caller) {
  if (!caller.attempt) return;
  if (schema::share_live_attempt(tx, caller.attempt->job_id, caller.attempt->number))
    return;
  refuse_ended(*caller.attempt);
}

bool require_effect(schema::Transaction& tx, const Caller& caller,
                    const PublishedThing& thing) {
  if (!caller.attempt) return false;
  const ArtifactName& artifact = thing.artifact;
  const schema::JobRow job = lock_live(tx, *caller.attempt);
  const PipelineSpec spec = PipelineSpec::parse(job.specification);
  if (is_its_environment(spec, thing)) return false;
  if (job.version_id) {
    refuse(ErrorCode::already_exists,
           fmt::format("job {} has published {} already", job.uuid, job.version));
  }
  if (spec.artifact.folded() != artifact.folded()) {
    refuse(ErrorCode::permission_denied,
           fmt::format("job {} produces {}, and not {}", job.uuid, spec.artifact.text(),
                       artifact.text()));
  }
  for (const AliasName& alias : thing.aliases) {
    if (std::ranges::find(spec.aliases, alias) != spec.aliases.end()) continue;
    refuse(ErrorCode::permission_denied,
           fmt::format("job {} does not move the alias {}", job.uuid, alias.text()));
  }
  return true;
}

void record_effect(schema::Transaction& tx, const Caller& caller, VersionId version) {
  if (!caller.attempt) return;
  schema::set_job_version(tx, caller.attempt->job_id, version);
}

void record_run_of_attempt(schema::Transaction& tx, const Caller& caller, std::int64_t run,
                           const std::string& uuid) {
  if (!caller.attempt) return;
  lock_live(tx, *caller.attempt);
  schema::set_run_attempt(tx, run, caller.attempt->job_id, caller.attempt->number);
  schema::set_job_run(tx, caller.attempt->job_id, uuid);
}

}  // namespace mendel::registry
