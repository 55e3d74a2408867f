#include "registry/api/runs.h"

#include <array>

#include "registry/api/json.h"
#include "registry/api/metric_json.h"
#include "registry/api/run_access.h"
#include "registry/api/run_body.h"
#include "registry/api/version_json.h"
#include "registry/api/visible.h"
#include "registry/services/blobs.h"
#include "registry/services/inputs.h"
#include "registry/services/metric_reading.h"
#include "registry/services/source_patch.h"

namespace mendel::registry::api {

namespace {

using nlohmann::json;

json summary(const schema::RunRow& run) {
  json document{{"id", run.uuid},
                {"namespace", run.namespace_name},
                {"name", run.name},
                {"status", run.status},
                {"created_by", run.created_by},
                {"created_at", format_rfc3339(run.created_at)},
                {"started_at", format_rfc3339(run.started_at)},
                {"labels", json::parse(run.labels)},
                {"message", run.message},
                {"resources", json::parse(run.resources)},
                {"keep", run.keep_rule},
                {"checkpoint_count", run.checkpoint_count}};
  if (run.finished_at) document["finished_at"] = format_rfc3339(*run.finished_at);
  if (run.heartbeat_seconds) {
    document["heartbeat_seconds"] = *run.heartbeat_seconds;
    document["heartbeat_at"] = format_rfc3339(*run.heartbeat_at);
  }
  if (run.exit_status) document["exit_status"] = *run.exit_status;
  if (run.hyperparameters_digest) {
    document["hyperparameters"] = {{"digest", run.hyperparameters_digest->to_string()},
                                   {"value", json::parse(run.hyperparameters)}};
  }
  if (!run.job.empty()) {
    document["job"] = run.job;
    document["attempt"] = *run.job_attempt;
  }
  if (!run.command.empty()) {
    document["command"] = json::parse(run.command);
    document["directory"] = run.directory;
  }
  if (!run.source.empty()) document["source"] = json::parse(run.source);
  return document;
}

// With what there may be much of: what went in, the last value of each metric, and what it
// made.
json whole_document(const Request& request, const schema::RunRow& run, Services& services) {
  json document = summary(run);
  Visible is_visible(request, services);
  std::size_t hidden = 0;
  for (const PedigreeEdge& input : parse_edges(run.inputs)) {
    if (input.ref.empty() || is_visible(input.ref)) {
      document["inputs"].push_back(to_json(input));
    } else {
      ++hidden;
    }
  }
  if (hidden > 0) document["hidden_inputs"] = hidden;
  auto& metrics = document["metrics"] = json::object();
  for (const auto& metric : services.metric_reading.sums(run.id)) {
    if (metric.sums.last) metrics[metric.name] = metric_value(metric.sums.last->value);
  }
  auto& outputs = document["outputs"] = json::array();
  for (const std::string& output : services.runs.outputs(run.uuid)) {
    if (is_visible(output)) outputs.push_back(output);
  }
  return document;
}

std::optional<std::string> status_filter(const Request& request) {
  constexpr std::array<std::string_view, 5> kStatuses{"running", "finished", "failed",
                                                      "killed", "lost"};
  const auto status = request.query("status");
  if (!status) return std::nullopt;
  if (std::ranges::find(kStatuses, *status) == kStatuses.end()) {
    throw Error(ErrorCode::invalid_argument,
                "status is running, finished, failed, killed or lost");
  }
  return std::string(*status);
}

}  // namespace

Response create_run(const Request& request, Services& services) {
  RunBody body = read_run_body(request.json());
  const auto standing = services.access.require(request.caller(), body.ns, Role::writer);

  std::optional<schema::RunRow> earlier;
  if (body.run.uuid) {
    earlier = services.runs.find_earlier(*body.run.uuid, body.run.digest);
  }
  RunService::Created created;
  if (earlier) {
    created.run = std::move(*earlier);
  } else {
    body.run.inputs = services.inputs.freeze_inputs(request.caller(), body.inputs);
    require_patch(services.blobs, standing.ns.id, body.run.source);
    created = services.runs.create(request.caller(), standing.ns.id, body.run);
  }

  Response response = json_response(created.is_new ? 201 : 200,
                                    whole_document(request, created.run, services));
  response.headers.set("Location", "/api/v1/runs/" + created.run.uuid);
  return response;
}

Response list_runs(const Request& request, Services& services) {
  schema::RunFilter filter{.folded_namespace = std::nullopt,
                           .status = status_filter(request)};
  if (const auto ns = request.query("namespace")) {
    filter.folded_namespace = Name::parse("a namespace", *ns).folded();
  }
  const auto page =
      services.runs.list(request.caller(), filter, {request.limit(), request.after()});

  auto items = json::array();
  for (const auto& run : page.items) items.push_back(summary(run));
  return with_etag(request, list_response(std::move(items), page.next));
}

Response get_run(const Request& request, Services& services) {
  const auto run = readable_run(request, services);
  return with_etag(
      request,
      json_response(200, whole_document(request, services.runs.get(run.uuid), services)));
}

Response patch_run(const Request& request, Services& services) {
  const RunService::Change change = read_run_change(request.json());
  const auto run = writable_run(request, services);

  services.runs.change(request.caller(), run.uuid, change);

  return json_response(200, whole_document(request, services.runs.get(run.uuid), services));
}

Response post_heartbeat(const Request& request, Services& services) {
  if (!request.body().empty()) ObjectReader(request.json()).finish();
  const auto run = writable_run(request, services);
  return json_response(
      200, {{"status", services.runs.record_heartbeat(request.caller(), run.uuid)}});
}

}  // namespace mendel::registry::api
