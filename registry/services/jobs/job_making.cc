#include "registry/services/jobs/job_making.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "registry/services/jobs/admission.h"
#include "schema/job_attempts.h"
#include "schema/jobs.h"
#include "schema/versions.h"
#include "storage/base/error.h"
#include "storage/base/uuid.h"
#include "storage/canonical_json.h"

namespace mendel::registry {

namespace {

// Who applied the pipeline last, with what they may do today.
Caller owner_of(const schema::PipelineRow& pipeline) {
  Scopes scopes;
  scopes.add(Scope::read);
  scopes.add(Scope::write);
  return {.principal = pipeline.owner_id,
          .name = pipeline.owner,
          .is_admin = pipeline.owner_is_admin,
          .scopes = scopes,
          .only_namespace = pipeline.owner_namespace,
          .expires_at = std::nullopt};
}

std::vector<schema::NewEdge> edges_of(const std::vector<PipelineSpec::Input>& inputs,
                                      const std::vector<schema::VersionKey>& keys) {
  std::vector<schema::NewEdge> edges;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    edges.push_back({.role = std::string(to_string(inputs[i].role)),
                     .name = inputs[i].name,
                     .target_id = keys[i].id,
                     .uri = std::nullopt,
                     .digest = std::nullopt});
  }
  return edges;
}

// A commit that is named by its hash needs no looking for.
bool is_commit(const std::string& ref) {
  const bool is_hex = ref.find_first_not_of("0123456789abcdef") == std::string::npos;
  return is_hex && (ref.size() == 40 || ref.size() == 64);
}

schema::NewJob job_of(const schema::PipelineRow& pipeline, const PipelineSpec& spec,
                      const JobRequest& request, Timestamp now) {
  schema::NewJob job{.uuid = request.uuid.value_or(make_uuid_v7(now)),
                     .request_digest = request.digest,
                     .namespace_id = pipeline.namespace_id,
                     .pipeline_id = pipeline.id,
                     .pipeline_name = pipeline.full_name(),
                     .owner_id = pipeline.owner_id,
                     .trigger_id = request.trigger,
                     .trigger_name = request.trigger_name,
                     .chain = request.chain,
                     .reason = request.reason,
                     .created_at = now,
                     .created_by = request.actor,
                     .state = "queued",
                     .queue = spec.queue,
                     .specification = pipeline.specification,
                     .target_id = pipeline.namespace_id,
                     .is_planned = false,
                     .hyperparameters = std::nullopt,
                     .source_repository = std::nullopt,
                     .source_ref = std::nullopt,
                     .source_commit = std::nullopt,
                     .needs_commit = false,
                     .attempts_max = spec.attempts_max};
  if (spec.source) {
    job.source_repository = spec.source->repository;
    job.source_ref = spec.source->ref;
    job.source_commit = request.commit;
    if (!job.source_commit && is_commit(spec.source->ref)) {
      job.source_commit = spec.source->ref;
    }
    job.needs_commit = !job.source_commit && !spec.source->is_resolved_by_agent;
  }
  return job;
}

}  // namespace

std::optional<std::string> JobMaking::patched(const std::optional<std::string>& base,
                                              const std::optional<std::string>& patch) {
  if (!patch) return base;
  auto document = nlohmann::json::parse(base.value_or("{}"));
  document.merge_patch(nlohmann::json::parse(*patch));
  return storage::canonical_json(document);
}

std::optional<std::string> JobMaking::find_hyperparameters(const Caller& owner,
                                                           const PipelineSpec& spec) {
  if (!spec.hyperparameters_of) return spec.hyperparameters;
  const Reference& ref = *spec.hyperparameters_of;
  const InputService::Asked asked{ref, "/hyperparameters_of"};
  const auto key = inputs_.freeze(owner, {&asked, 1}).front();
  const auto version = database_.read("find hyperparameters", [&](schema::Transaction& tx) {
    return schema::find_version_by_id(tx, key.id);
  });
  if (!version || version->hyperparameters.empty()) {
    throw Error(ErrorCode::unprocessable,
                fmt::format("/hyperparameters_of: {} was made without hyperparameters",
                            key.reference()));
  }
  return version->hyperparameters;
}

JobMaking::Plan JobMaking::plan(PipelineId id) {
  auto pipeline = database_.read("find a pipeline", [&](schema::Transaction& tx) {
    return schema::find_pipeline_by_id(tx, id);
  });
  if (!pipeline) throw Error(ErrorCode::not_found, "the pipeline was deleted");
  PipelineSpec spec = PipelineSpec::parse(pipeline->specification);
  Plan plan{.pipeline = *std::move(pipeline),
            .spec = std::move(spec),
            .inputs = {},
            .hyperparameters = std::nullopt};
  const Caller owner = owner_of(plan.pipeline);
  access_.require(owner, Name::parse("a namespace", plan.pipeline.namespace_name),
                  Role::writer);
  plan.target = access_.require(owner, plan.spec.artifact.ns(), Role::writer).ns.id;

  std::vector<InputService::Asked> asked;
  for (const auto& input : plan.spec.inputs) {
    asked.push_back({input.ref, "/inputs/" + input.name});
  }
  plan.inputs = edges_of(plan.spec.inputs, inputs_.freeze(owner, asked));
  plan.hyperparameters = find_hyperparameters(owner, plan.spec);
  return plan;
}

std::string JobMaking::insert(schema::Transaction& tx, const Plan& plan,
                              const JobRequest& request) {
  const Timestamp now = clock_.now();
  const auto pipeline = schema::lock_pipeline(tx, plan.pipeline.id);
  if (!pipeline) throw Error(ErrorCode::not_found, "the pipeline was deleted");
  if (pipeline->revision != plan.pipeline.revision ||
      pipeline->owner_id != plan.pipeline.owner_id) {
    throw Error(ErrorCode::aborted, "the pipeline was changed while a job of it was made");
  }
  schema::NewJob job = job_of(*pipeline, plan.spec, request, now);
  job.target_id = plan.target;
  job.is_planned = true;
  job.hyperparameters = patched(plan.hyperparameters, request.hyperparameters);
  const auto id = schema::insert_job(tx, job);
  if (!id) return job.uuid;
  hold_targets(tx, plan.inputs);
  schema::insert_job_inputs(tx, *id, plan.inputs);
  schema::insert_job_transition(tx, {.job_id = *id,
                                     .at = now,
                                     .actor = request.actor,
                                     .from = std::nullopt,
                                     .to = job.state,
                                     .reason = request.reason});
  admit_waiting_jobs(tx, *pipeline, now);
  return job.uuid;
}

std::string JobMaking::insert_failed(schema::Transaction& tx, PipelineId id,
                                     const JobRequest& request, std::string_view why) {
  const Timestamp now = clock_.now();
  const auto pipeline = schema::lock_pipeline(tx, id);
  if (!pipeline) throw Error(ErrorCode::not_found, "the pipeline was deleted");
  schema::NewJob job =
      job_of(*pipeline, PipelineSpec::parse(pipeline->specification), request, now);
  job.state = "failed";
  job.needs_commit = false;
  job.hyperparameters = request.hyperparameters;  // the patch: a retry applies it
  if (const auto job_id = schema::insert_job(tx, job)) {
    schema::insert_job_transition(tx, {.job_id = *job_id,
                                       .at = now,
                                       .actor = request.actor,
                                       .from = std::nullopt,
                                       .to = job.state,
                                       .reason = std::string(why)});
  }
  return job.uuid;
}

void JobMaking::complete(schema::Transaction& tx, const schema::JobRow& job,
                         const Plan& plan) {
  const auto patch =
      job.hyperparameters.empty() ? std::nullopt : std::optional(job.hyperparameters);
  hold_targets(tx, plan.inputs);
  schema::insert_job_inputs(tx, job.id, plan.inputs);
  schema::plan_job(tx, job.id, plan.target, patched(plan.hyperparameters, patch));
}

void JobMaking::announce(const std::string& queue) {
  changes_.announce(queue_topic(queue));
}

}  // namespace mendel::registry
