#include "registry/api/checkpoints.h"

#include <fmt/format.h>

#include "registry/api/attached_files.h"
#include "registry/api/json.h"
#include "registry/api/pedigree_body.h"
#include "registry/api/run_access.h"
#include "registry/services/blobs.h"
#include "registry/services/checkpoints.h"

namespace mendel::registry::api {

namespace {

using nlohmann::json;

json to_json(const RunService::Identity& run, const schema::CheckpointRow& checkpoint) {
  json document{{"run", run.uuid},
                {"step", checkpoint.step},
                {"digest", checkpoint.digest.to_string()},
                {"kind", checkpoint.kind},
                {"size_bytes", checkpoint.size_bytes},
                {"file_count", checkpoint.file_count},
                {"metrics", json::parse(checkpoint.metrics)},
                {"state", checkpoint.state},
                {"created_at", format_rfc3339(checkpoint.created_at)},
                {"created_by", checkpoint.created_by}};
  if (checkpoint.published) document["published"] = true;
  return document;
}

storage::ArtifactKind read_kind(ObjectReader& body) {
  const auto text = body.optional_string("kind");
  if (!text) return storage::ArtifactKind::model;
  const auto kind = storage::parse_artifact_kind(*text);
  if (!kind) body.problem("kind", "must be model, dataset or environment");
  return kind.value_or(storage::ArtifactKind::model);
}

CheckpointService::Request read_checkpoint_body(json document,
                                                std::vector<AttachedFile>& attached) {
  ObjectReader body(std::move(document));
  CheckpointService::Request checkpoint{.step = body.required_integer("step"),
                                        .kind = read_kind(body),
                                        .manifest = std::nullopt,
                                        .manifest_digest = body.optional_digest("manifest"),
                                        .metrics = read_metrics(body)};
  if (checkpoint.step < 0 || checkpoint.step > kMetricStepMax) {
    body.problem("step", "must be a whole number from 0 to 2^53");
  }
  auto files = read_files(body, attached);
  if (body.has("files")) {
    checkpoint.manifest.emplace();
    checkpoint.manifest->kind = checkpoint.kind;
    checkpoint.manifest->files = std::move(files);
  }
  if (body.has("files") == body.has("manifest")) {
    body.problem("files", "are required, or else 'manifest' in their place");
  }
  body.finish();
  return checkpoint;
}

}  // namespace

Response create_checkpoint(const Request& request, Services& services) {
  std::vector<AttachedFile> attached;
  const auto checkpoint = read_checkpoint_body(request.json(), attached);
  const auto run = writable_run(request, services);

  attach_files(request, services, run.ns, attached);
  const auto added = services.checkpoints.add(request.caller(), run, checkpoint);

  return json_response(added.is_new ? 201 : 200, to_json(run, added.checkpoint));
}

Response list_checkpoints(const Request& request, Services& services) {
  const auto run = readable_run(request, services);
  if (const auto select = request.query("select")) {
    const auto selector = CheckpointSelector::parse(*select);
    const auto checkpoint = services.checkpoints.get(run.id, selector);
    return with_etag(request, json_response(200, to_json(run, checkpoint)));
  }
  const auto page = services.checkpoints.list(run.id, {request.limit(), request.after()});
  auto items = json::array();
  for (const auto& checkpoint : page.items) items.push_back(to_json(run, checkpoint));
  return with_etag(request, list_response(std::move(items), page.next));
}

Response get_checkpoint_manifest(const Request& request, Services& services) {
  const auto selector =
      CheckpointSelector::parse("step:" + std::string(request.path("step")));
  const auto run = readable_run(request, services);
  const auto checkpoint = services.checkpoints.get(run.id, selector);
  auto manifest = services.blobs.find_manifest(run.ns, checkpoint.digest);
  if (!manifest) {
    throw Error(
        ErrorCode::not_found,
        fmt::format("the content of step {} was dropped and is gone", checkpoint.step));
  }
  Response response;
  response.headers.set("Content-Type", "application/json");
  response.headers.set("Cache-Control", "no-cache");
  response.body = std::move(*manifest);
  return response;
}

}  // namespace mendel::registry::api
