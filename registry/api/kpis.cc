#include "registry/api/kpis.h"

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "registry/api/json.h"
#include "registry/api/kpi_body.h"
#include "registry/services/ledger/definitions.h"
#include "registry/services/put.h"
#include "storage/base/error.h"

namespace mendel::registry::api {

namespace {

using nlohmann::json;

Name kpi_of(const Request& request) { return Name::parse("a KPI", request.path("id")); }

// The document as it was put, and what the server says of it.
json definition_json(const KpiDefinition& definition) {
  json document = json::parse(definition.document);
  document["id"] = definition.id;
  document["revision"] = definition.revision;
  document["defined_at"] = format_rfc3339(definition.defined_at);
  document["defined_by"] = definition.defined_by;
  return document;
}

json revision_json(const KpiDefinition& definition) {
  return {{"revision", definition.revision},
          {"defined_at", format_rfc3339(definition.defined_at)},
          {"defined_by", definition.defined_by},
          {"definition", json::parse(definition.document)}};
}

// Nothing of a KPI's answers changes without a revision.
std::string tag_of(const KpiDefinition& definition) {
  return '"' + std::to_string(definition.revision) + '"';
}

Precondition<KpiDefinition> if_match_revision(const Request& request) {
  return [&request](const KpiDefinition* current) {
    if (!request.has_if_match()) return;
    if (current == nullptr) {
      throw Error(ErrorCode::failed_precondition, "If-Match: there is nothing here yet");
    }
    request.require_match(tag_of(*current));
  };
}

}  // namespace

Response list_kpis(const Request& request, Services& services) {
  const auto page =
      services.kpi_definitions.list(request.caller(), {request.limit(), request.after()});

  auto items = json::array();
  for (const auto& definition : page.items) items.push_back(definition_json(definition));
  return with_etag(request, list_response(std::move(items), page.next));
}

Response get_kpi(const Request& request, Services& services) {
  const auto revisions =
      services.kpi_definitions.revisions(request.caller(), kpi_of(request));

  const KpiDefinition& newest = revisions.front();
  json document = definition_json(newest);
  document["revisions"] = json::array();
  for (const auto& revision : revisions) {
    document["revisions"].push_back(revision_json(revision));
  }
  Response response = json_response(200, document);
  if (request.none_match(tag_of(newest)))
    response = {.status = 304, .headers = {}, .body = {}};
  response.headers.set("ETag", tag_of(newest));
  return response;
}

Response put_kpi(const Request& request, Services& services) {
  const auto put = services.kpi_definitions.put(request.caller(), kpi_of(request),
                                                read_kpi_body(request.json()),
                                                if_match_revision(request));

  const int status = put.outcome == Outcome::created ? 201 : 200;
  Response response = json_response(status, definition_json(put.item));
  response.headers.set("ETag", tag_of(put.item));
  return response;
}

}  // namespace mendel::registry::api
