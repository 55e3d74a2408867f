#include "registry/api/artifacts.h"

#include <fmt/format.h>

#include <charconv>

#include "registry/api/json.h"
#include "registry/api/names.h"
#include "registry/services/artifacts.h"

namespace mendel::registry::api {

namespace {

using nlohmann::json;

constexpr std::size_t kDescriptionSizeMax = 64 * 1024;

json to_json(const schema::ArtifactRow& row) {
  return {{"artifact", row.namespace_name + "/" + row.name},
          {"kind", row.kind},
          {"description", row.description},
          {"newest", row.newest_number},
          {"created_at", format_rfc3339(row.created_at)},
          {"changed_at", format_rfc3339(row.changed_at)}};
}

json to_json(const ArtifactService::Artifact& artifact) {
  json document = to_json(artifact.row);
  auto& aliases = document["aliases"] = json::object();
  for (const auto& [name, version] : artifact.aliases) aliases[name] = version;
  document["version_count"] = artifact.counts.versions;
  document["yanked_count"] = artifact.counts.yanked;
  if (artifact.counts.latest) document["latest"] = *artifact.counts.latest;
  return document;
}

// A page ends at a moment and an id: "<microseconds>.<id>".
std::string next_after(const schema::ArtifactRow& row) {
  return fmt::format("{}.{}", row.changed_at.time_since_epoch().count(), row.id);
}

std::optional<schema::ArtifactPosition> position_after(const Request& request) {
  const auto after = request.after();
  if (!after) return std::nullopt;
  std::int64_t microseconds = 0;
  schema::ArtifactPosition position;
  const char* const end = after->data() + after->size();
  const auto [dot, status] = std::from_chars(after->data(), end, microseconds);
  if (status == std::errc() && dot != end && *dot == '.') {
    const auto [last, id_status] = std::from_chars(dot + 1, end, position.id);
    if (id_status == std::errc() && last == end && microseconds >= 0) {
      position.changed_at = Timestamp(std::chrono::microseconds(microseconds));
      return position;
    }
  }
  throw Error(ErrorCode::invalid_argument, "after takes what 'next' said, unchanged");
}

}  // namespace

Response list_artifacts(const Request& request, Services& services) {
  const std::size_t limit = request.limit();
  ArtifactService::Filter filter{.kind = kind_of(request), .ns = std::nullopt, .text = {}};
  if (const auto ns = request.query("namespace"))
    filter.ns = Name::parse("a namespace", *ns);
  filter.text = request.query("q").value_or("");
  const auto rows =
      services.artifacts.list(request.caller(), filter, position_after(request), limit);

  auto items = json::array();
  for (const auto& row : rows) {
    items.push_back(to_json(row));
    items.back()["aliases"] = json::parse(row.aliases);
  }
  std::optional<std::string> next;
  if (rows.size() == limit) next = next_after(rows.back());
  return with_etag(request, list_response(std::move(items), next));
}

Response get_artifact(const Request& request, Services& services) {
  const auto artifact = services.artifacts.get(artifact_of(request), kind_of(request));
  return with_etag(request, json_response(200, to_json(artifact)));
}

Response patch_artifact(const Request& request, Services& services) {
  ObjectReader body(request.json());
  const std::string description = body.required_string("description");
  if (description.size() > kDescriptionSizeMax) {
    body.problem("description",
                 fmt::format("is longer than {} bytes", kDescriptionSizeMax));
  }
  body.finish();

  const auto artifact = services.artifacts.describe(request.ns().id, artifact_of(request),
                                                    kind_of(request), description);
  return with_etag(request, json_response(200, to_json(artifact)));
}

}  // namespace mendel::registry::api
