#include "registry/api/evaluations.h"

#include "registry/api/json.h"
#include "registry/api/names.h"
#include "registry/api/pedigree_body.h"
#include "registry/services/access.h"
#include "registry/services/evaluations.h"
#include "registry/services/inputs.h"
#include "registry/services/versions.h"
#include "storage/base/uuid.h"

namespace mendel::registry::api {

namespace {

using nlohmann::json;

struct EvaluationBody {
  EvaluationService::Request evaluation;  // without what it is of, and on
  std::optional<Reference> dataset;
};

EvaluationBody read_evaluation_body(const json& document) {
  ObjectReader body(document);
  EvaluationBody read{
      .evaluation = {.uuid = body.optional_string("id"),
                     .version = 0,
                     .dataset = std::nullopt,
                     .digest = {},
                     .metrics = read_metrics(body),
                     .labels = json(read_labels(body)).dump(),
                     .measured_at = body.parsed(
                         "measured_at",
                         [](const std::string& text) { return parse_rfc3339(text); })},
      .dataset = body.parsed(
          "dataset", [](const std::string& text) { return Reference::parse(text); })};
  if (read.evaluation.uuid && !is_uuid(*read.evaluation.uuid)) {
    body.problem("id", "must be a UUID in lower case, best of version 7");
  }
  if (read.evaluation.metrics == "{}") {
    body.problem("metrics", "is required, with one metric at least");
  }
  body.finish();
  return read;
}

// A dataset that the caller may not read is not named.
json to_json(const Request& request, Services& services, const std::string& version,
             const schema::EvaluationRow& evaluation) {
  json document{{"id", evaluation.uuid},
                {"version", version},
                {"metrics", json::parse(evaluation.metrics)},
                {"labels", json::parse(evaluation.labels)},
                {"measured_at", format_rfc3339(evaluation.measured_at)},
                {"recorded_at", format_rfc3339(evaluation.recorded_at)},
                {"recorded_by", evaluation.recorded_by}};
  if (!evaluation.dataset_version_id) return document;
  const std::string_view dataset = evaluation.dataset;
  const auto standing = services.access.standing(
      request.caller(), Name::parse("a namespace", dataset.substr(0, dataset.find('/'))));
  if (may_read(request.caller(), standing)) {
    document["dataset"] = {{"ref", dataset},
                           {"digest", evaluation.dataset_digest->to_string()}};
  } else {
    document["hidden_dataset"] = true;
  }
  return document;
}

}  // namespace

Response create_evaluation(const Request& request, Services& services) {
  const json document = request.json();
  EvaluationBody body = read_evaluation_body(document);
  const auto record =
      services.versions.get(artifact_of(request), kind_of(request), ref_of(request));
  const Version& version = record->version;

  EvaluationService::Request& evaluation = body.evaluation;
  evaluation.version = version.id;
  evaluation.digest = Digest::of(version.reference() + "\n" + document.dump());
  std::optional<schema::EvaluationRow> earlier;
  if (evaluation.uuid) {
    earlier = services.evaluations.find_earlier(*evaluation.uuid, evaluation.digest);
  }
  EvaluationService::Recorded recorded;
  if (earlier) {
    recorded.evaluation = std::move(*earlier);
  } else {
    if (body.dataset) {
      const InputService::Asked asked[] = {{*body.dataset, "/dataset"}};
      evaluation.dataset = services.inputs.freeze(request.caller(), asked).front().id;
    }
    recorded = services.evaluations.record(request.caller(), evaluation);
  }

  return json_response(
      recorded.is_new ? 201 : 200,
      to_json(request, services, version.reference(), recorded.evaluation));
}

Response list_evaluations(const Request& request, Services& services) {
  const auto record =
      services.versions.get(artifact_of(request), kind_of(request), ref_of(request));
  const Version& version = record->version;
  const auto page =
      services.evaluations.list(version.id, {request.limit(), request.after()});

  auto items = json::array();
  for (const auto& evaluation : page.items) {
    items.push_back(to_json(request, services, version.reference(), evaluation));
  }
  return with_etag(request, list_response(std::move(items), page.next));
}

}  // namespace mendel::registry::api
