#include "registry/api/versions.h"

#include "registry/api/json.h"
#include "registry/api/names.h"
#include "registry/api/version_json.h"
#include "registry/api/visible.h"
#include "registry/services/versions.h"

namespace mendel::registry::api {

namespace {

Version visible_to(const Request& request, Services& services, Version version) {
  Visible is_visible(request, services);
  version.hidden_inputs = std::erase_if(version.inputs, [&](const PedigreeEdge& input) {
    return !input.ref.empty() && !is_visible(input.ref);
  });
  return version;
}

std::shared_ptr<const VersionRecord> visible_to(
    const Request& request, Services& services,
    std::shared_ptr<const VersionRecord> record) {
  if (record->version.names_own_namespace_alone()) return record;
  Version visible = visible_to(request, services, record->version);
  RenderedVersion rendered = render_version(visible);
  return std::make_shared<const VersionRecord>(
      VersionRecord{std::move(visible), std::move(rendered)});
}

Response version_response(const Request& request,
                          std::shared_ptr<const VersionRecord> record) {
  Response response;
  response.headers.set("Content-Type", "application/json");
  response.headers.set("Cache-Control", "no-cache");
  response.headers.set("ETag", record->rendered.etag);
  response.headers.set("Mendel-Reference", record->version.reference());
  response.headers.set("Mendel-Version", std::to_string(record->version.number));
  response.headers.set("Mendel-Digest", record->version.digest.to_string());
  if (request.none_match(record->rendered.etag)) {
    response.status = 304;
  } else {
    const std::string_view document = record->rendered.document;
    response.body = SharedBytes{std::move(record), document};
  }
  return response;
}

std::string required_reason(ObjectReader& body) {
  std::string reason = body.required_string("reason");
  if (body.has("reason") && reason.empty()) body.problem("reason", "must say why");
  return reason;
}

}  // namespace

Response list_versions(const Request& request, Services& services) {
  const std::size_t limit = request.limit();
  const auto versions = services.versions.list(artifact_of(request), kind_of(request),
                                               number_after(request), limit);

  auto items = nlohmann::json::array();
  for (const Version& version : versions) {
    items.push_back(to_json(visible_to(request, services, version)));
  }
  std::optional<std::string> next;
  if (versions.size() == limit && versions.back().number > 1) {
    next = std::to_string(versions.back().number);
  }
  return with_etag(request, list_response(std::move(items), next));
}

Response get_version(const Request& request, Services& services) {
  return version_response(
      request, visible_to(request, services,
                          services.versions.get(artifact_of(request), kind_of(request),
                                                ref_of(request))));
}

std::optional<Response> get_version_from_memory(const Request& request,
                                                Services& services) {
  auto record =
      services.versions.remembered(artifact_of(request), kind_of(request), ref_of(request));
  if (!record || !record->version.names_own_namespace_alone()) return std::nullopt;
  return version_response(request, std::move(record));
}

Response yank_version(const Request& request, Services& services) {
  ObjectReader body(request.json());
  const std::string reason = required_reason(body);
  const bool force = body.optional_boolean("force").value_or(false);
  body.finish();

  using PointingAliases = VersionService::PointingAliases;
  auto yanked = services.versions.yank(
      request.caller(), artifact_of(request), kind_of(request), ref_of(request), reason,
      force ? PointingAliases::allow : PointingAliases::forbid);
  return version_response(request, visible_to(request, services, std::move(yanked)));
}

Response restore_version(const Request& request, Services& services) {
  ObjectReader body(request.body().empty() ? nlohmann::json::object() : request.json());
  const std::string reason = body.optional_string("reason").value_or("");
  body.finish();

  auto restored = services.versions.restore(request.caller(), artifact_of(request),
                                            kind_of(request), ref_of(request), reason);
  return version_response(request, visible_to(request, services, std::move(restored)));
}

Response delete_version(const Request& request, Services& services) {
  ObjectReader body(request.json());
  const std::string reason = required_reason(body);
  body.finish();

  services.versions.remove(request.caller(), artifact_of(request), kind_of(request),
                           ref_of(request), reason);
  return no_content();
}

}  // namespace mendel::registry::api
