#include "registry/api/pipelines.h"

#include <set>
#include <string>

#include "registry/api/dry_run.h"
#include "registry/api/json.h"
#include "registry/api/names.h"
#include "registry/api/pipeline_body.h"
#include "registry/api/preconditions.h"
#include "registry/services/jobs/pipelines.h"

namespace mendel::registry::api {

namespace {

using nlohmann::json;

// The document as it was applied, and what the server says of it.
json pipeline_json(const schema::PipelineRow& pipeline) {
  json document = json::parse(pipeline.specification);
  document["name"] = pipeline.full_name();
  document["revision"] = pipeline.revision;
  document["owner"] = pipeline.owner;
  document["created_at"] = format_rfc3339(pipeline.created_at);
  document["created_by"] = pipeline.created_by;
  document["updated_at"] = format_rfc3339(pipeline.updated_at);
  document["updated_by"] = pipeline.updated_by;
  return document;
}

// Pointers to what another document would change, each once.
json changed_pointers(const json& before, const json& after) {
  std::set<std::string> pointers;
  for (const json& step : json::diff(before, after)) {
    pointers.insert(step.at("path").get<std::string>());
  }
  return pointers;
}

Response rehearse_pipeline(const Request& request, Services& services,
                           const ArtifactName& name,
                           const PipelineService::Document& document) {
  const auto current =
      services.pipelines.rehearse(request.caller(), request.ns().id, name, document,
                                  if_match<schema::PipelineRow>(request, pipeline_json));
  const json after = json::parse(document.text);
  json answer = after;
  answer["name"] = name.text();
  answer["dry_run"] = true;
  answer["created"] = !current.has_value();
  if (current) answer["revision"] = current->revision;
  answer["changed"] = changed_pointers(
      current ? json::parse(current->specification) : json::object(), after);
  return json_response(200, answer);
}

}  // namespace

Response list_pipelines(const Request& request, Services& services) {
  std::optional<Name> ns;
  if (const auto text = request.query("namespace")) ns = Name::parse("a namespace", *text);
  const auto page =
      services.pipelines.list(request.caller(), ns, {request.limit(), request.after()});

  auto items = json::array();
  for (const auto& pipeline : page.items) items.push_back(pipeline_json(pipeline));
  return with_etag(request, list_response(std::move(items), page.next));
}

Response get_pipeline(const Request& request, Services& services) {
  const auto pipeline = services.pipelines.get(artifact_of(request));
  return with_etag(request, json_response(200, pipeline_json(pipeline)));
}

Response put_pipeline(const Request& request, Services& services) {
  const ArtifactName name = artifact_of(request);
  const auto document = read_pipeline_body(request.json());
  if (is_dry_run(request)) return rehearse_pipeline(request, services, name, document);

  const auto put =
      services.pipelines.put(request.caller(), request.ns().id, name, document,
                             if_match<schema::PipelineRow>(request, pipeline_json));

  return put_response(put, pipeline_json);
}

Response delete_pipeline(const Request& request, Services& services) {
  services.pipelines.remove(request.caller(), artifact_of(request),
                            if_match<schema::PipelineRow>(request, pipeline_json));
  return no_content();
}

}  // namespace mendel::registry::api
