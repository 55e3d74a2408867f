#include "registry/services/jobs/job_publication.h"

#include <nlohmann/json.hpp>

#include "registry/services/jobs/pipeline_spec.h"
#include "schema/jobs.h"

namespace mendel::registry {

void JobPublication::complete(const Caller& caller, PublishingService::Request& request) {
  if (!caller.attempt) return;
  database_.read("find what a job makes a version from", [&](schema::Transaction& tx) {
    const auto job = schema::find_job(tx, caller.attempt->job).value();
    const PipelineSpec spec = PipelineSpec::parse(job.specification);
    if (spec.artifact.folded() != request.artifact.folded()) return;
    const auto inputs = schema::list_job_inputs(tx, job.id);
    request.frozen_inputs.insert(request.frozen_inputs.end(), inputs.begin(), inputs.end());
    if (!request.hyperparameters && !job.hyperparameters.empty()) {
      request.hyperparameters = job.hyperparameters;
    }
    if (!request.source && job.source_commit) {
      request.source = nlohmann::json{
          {"repository", *job.source_repository},
          {"commit", *job.source_commit},
          {"dirty", false}}.dump();
    }
  });
}

}  // namespace mendel::registry
