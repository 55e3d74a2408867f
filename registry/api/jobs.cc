#include "registry/api/jobs.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "registry/api/job_access.h"
#include "registry/api/job_json.h"
#include "registry/api/json.h"
#include "registry/api/pedigree_body.h"
#include "registry/services/access.h"
#include "registry/services/jobs/jobs.h"
#include "registry/services/jobs/pipelines.h"
#include "storage/base/uuid.h"

namespace mendel::registry::api {

namespace {

using nlohmann::json;

constexpr std::size_t kReasonSizeMax = 4096;
constexpr std::size_t kKeySizeMax = 255;

std::string read_reason(ObjectReader& body) {
  auto reason = body.optional_string("reason").value_or("");
  if (reason.size() > kReasonSizeMax) {
    body.problem("reason", fmt::format("is longer than {} bytes", kReasonSizeMax));
  }
  return reason;
}

struct JobBody {
  std::optional<ArtifactName> pipeline;
  JobRequest request;
};

JobBody read_job_body(const Request& request) {
  const json document = request.json();
  ObjectReader body(document);
  JobBody job;
  if (!body.has("pipeline")) body.problem("pipeline", "is required");
  job.pipeline = body.parsed(
      "pipeline", [](const std::string& text) { return ArtifactName::parse(text); });
  job.request.reason = read_reason(body);
  job.request.actor = request.caller().name;
  job.request.hyperparameters = read_hyperparameters(body);
  job.request.uuid = body.optional_string("id");
  if (job.request.uuid && !is_uuid(*job.request.uuid)) {
    body.problem("id", "must be a UUID in lower case, best of version 7");
  }
  body.finish();
  job.request.digest = Digest::of(document.dump());
  return job;
}

// The same key of the same principal always means the same job: a UUID of version 8
// (RFC 9562), whose bits are a digest's.
std::string uuid_of_key(const Caller& caller, std::string_view key) {
  if (key.empty() || key.size() > kKeySizeMax) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("an Idempotency-Key has 1 to {} characters", kKeySizeMax));
  }
  std::string hex = Digest::of(fmt::format("job\n{}\n{}", *caller.principal, key)).hex();
  hex[12] = '8';
  hex[16] = 'a';
  return fmt::format("{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4),
                     hex.substr(12, 4), hex.substr(16, 4), hex.substr(20, 12));
}

std::optional<std::string> state_filter(const Request& request) {
  constexpr std::array<std::string_view, 7> kStates{
      "queued", "starting", "running", "succeeded", "failed", "cancelled", "lost"};
  const auto state = request.query("state");
  if (!state) return std::nullopt;
  if (std::ranges::find(kStates, *state) == kStates.end()) {
    throw Error(ErrorCode::invalid_argument,
                "state is queued, starting, running, succeeded, failed, cancelled or lost");
  }
  return std::string(*state);
}

// One that may not be read has no jobs that may.
std::optional<PipelineId> pipeline_filter(const Request& request, Services& services) {
  const auto text = request.query("pipeline");
  if (!text) return std::nullopt;
  const ArtifactName name = ArtifactName::parse(*text);
  services.access.require(request.caller(), name.ns(), Role::reader);
  return services.pipelines.get(name).id;
}

Response shown(const Request& request, int status, const schema::JobRow& job,
               Services& services) {
  Visible is_visible(request, services);
  return json_response(status, job_document(job, services.jobs.details(job), is_visible));
}

}  // namespace

Response create_job(const Request& request, Services& services) {
  JobBody body = read_job_body(request);
  services.access.require(request.caller(), body.pipeline->ns(), Role::writer);
  if (const auto key = request.header("Idempotency-Key"); key && !body.request.uuid) {
    body.request.uuid = uuid_of_key(request.caller(), *key);
  }
  const auto pipeline = services.pipelines.get(*body.pipeline);

  const auto created = services.jobs.create(pipeline.id, body.request);

  Response response = shown(request, created.is_new ? 201 : 200, created.job, services);
  response.headers.set("Location", "/api/v1/jobs/" + created.job.uuid);
  return response;
}

Response list_jobs(const Request& request, Services& services) {
  schema::JobFilter filter{.folded_namespace = std::nullopt,
                           .pipeline_id = pipeline_filter(request, services),
                           .state = state_filter(request)};
  if (const auto ns = request.query("namespace")) {
    filter.folded_namespace = Name::parse("a namespace", *ns).folded();
  }
  const auto page =
      services.jobs.list(request.caller(), filter, {request.limit(), request.after()});

  auto items = json::array();
  Visible is_visible(request, services);
  for (const auto& job : page.items) items.push_back(job_summary(job, is_visible));
  return with_etag(request, list_response(std::move(items), page.next));
}

Response get_job(const Request& request, Services& services) {
  return with_etag(request, shown(request, 200, readable_job(request, services), services));
}

Response cancel_job(const Request& request, Services& services) {
  ObjectReader body(request.json());
  const std::string reason = read_reason(body);
  body.finish();
  const auto job = writable_job(request, services);

  services.jobs.cancel(request.caller(), job.uuid, reason);

  return shown(request, 200, services.jobs.get(job.uuid), services);
}

Response retry_job(const Request& request, Services& services) {
  ObjectReader body(request.json());
  const std::string reason = read_reason(body);
  body.finish();
  const auto job = writable_job(request, services);

  services.jobs.retry(request.caller(), job.uuid, reason);

  return shown(request, 200, services.jobs.get(job.uuid), services);
}

}  // namespace mendel::registry::api
