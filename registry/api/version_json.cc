#include "registry/api/version_json.h"

#include <utility>

#include "registry/api/json.h"
#include "storage/manifest.h"

namespace mendel::registry::api {

nlohmann::json to_json(const PedigreeEdge& edge) {
  nlohmann::json document;
  if (edge.role != EdgeRole::component) document["role"] = to_string(edge.role);
  if (!edge.name.empty()) document["name"] = edge.name;
  if (edge.ref.empty()) {
    document["uri"] = edge.uri;
    document["verifiable"] = edge.digest.has_value();
  } else {
    document["ref"] = edge.ref;
  }
  if (edge.digest) document["digest"] = edge.digest->to_string();
  return document;
}

nlohmann::json to_json(const Version& version) {
  using nlohmann::json;
  json document{{"artifact", version.artifact},
                {"kind", storage::to_string(version.kind)},
                {"version", version.number},
                {"digest", version.digest.to_string()},
                {"state", to_string(version.state)},
                {"created_at", format_rfc3339(version.created_at)},
                {"created_by", version.created_by},
                {"message", version.message},
                {"labels", version.labels},
                {"size_bytes", version.size_bytes},
                {"file_count", version.file_count},
                {"aliases", version.aliases}};
  if (!version.state_reason.empty()) document["state_reason"] = version.state_reason;
  if (version.metrics != "{}") document["metrics"] = json::parse(version.metrics);
  if (!version.source.empty()) document["source"] = json::parse(version.source);
  if (version.hyperparameters_digest) {
    document["hyperparameters"] = {{"digest", version.hyperparameters_digest->to_string()},
                                   {"value", json::parse(version.hyperparameters)}};
  }
  if (!version.run.empty()) document["run"] = version.run;
  if (!version.job.empty()) document["job"] = version.job;
  for (const PedigreeEdge& input : version.inputs) {
    document["inputs"].push_back(to_json(input));
  }
  if (version.hidden_inputs > 0) document["hidden_inputs"] = version.hidden_inputs;
  for (const PedigreeEdge& component : version.components) {
    document["components"].push_back(to_json(component));
  }
  return document;
}

RenderedVersion render_version(const Version& version) {
  std::string document = to_json(version).dump() + "\n";
  std::string etag = entity_tag(document);
  return {std::move(document), std::move(etag)};
}

}  // namespace mendel::registry::api
