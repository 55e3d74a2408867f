#include "registry/api/publish.h"

#include <fmt/format.h>

#include "registry/api/attached_files.h"
#include "registry/api/json.h"
#include "registry/api/names.h"
#include "registry/api/publish_body.h"
#include "registry/api/run_access.h"
#include "registry/api/version_json.h"
#include "registry/services/jobs/job_publication.h"
#include "registry/services/publishing.h"
#include "registry/services/run_publication.h"
#include "registry/services/runs.h"
#include "storage/base/sha256.h"

namespace mendel::registry::api {

namespace {

using nlohmann::json;

constexpr std::size_t kKeySizeMax = 255;

std::optional<PublishingService::IdempotencyKey> idempotency_key(const Request& request) {
  const auto key = request.header("Idempotency-Key");
  if (!key) return std::nullopt;
  if (key->empty() || key->size() > kKeySizeMax) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("an Idempotency-Key has 1 to {} characters", kKeySizeMax));
  }
  Sha256 sha256;
  sha256.update(as_bytes(request.head().target));
  sha256.update(as_bytes("\n"));
  sha256.update(as_bytes(request.body()));
  return PublishingService::IdempotencyKey{std::string(*key), sha256.finish()};
}

}  // namespace

Response publish_version(const Request& request, Services& services) {
  std::vector<AttachedFile> attached;
  PublishingService::Request publish =
      read_publish_body(request.json(), artifact_of(request), kind_of(request), attached);
  publish.idempotency = idempotency_key(request);

  if (request.caller().attempt && publish.run) {
    const auto run = services.runs.find_identity(*publish.run);
    if (!run) throw no_run(*publish.run);
    require_own_run(request.caller(), *run);
  }
  attach_files(request, services, request.ns().id, attached);
  services.run_publication.complete(request.ns().id, publish);
  services.job_publication.complete(request.caller(), publish);
  const auto outcome =
      services.publishing.publish(request.caller(), request.ns().id, publish);

  const Version& version = outcome.record->version;
  json document = to_json(version);
  document["created"] = outcome.created;
  Response response = json_response(outcome.created ? 201 : 200, document);
  response.headers.set("ETag", outcome.record->rendered.etag);
  response.headers.set("Location",
                       fmt::format("/api/v1/{}/{}/versions/{}", plural(version.kind),
                                   version.artifact, version.number));
  response.headers.set("Mendel-Reference", version.reference());
  response.headers.set("Mendel-Version", std::to_string(version.number));
  response.headers.set("Mendel-Digest", version.digest.to_string());
  return response;
}

}  // namespace mendel::registry::api
