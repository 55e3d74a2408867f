#include "registry/api/client.h"

#include <utility>

#include "registry/api/content_answer.h"
#include "registry/api/json.h"
#include "registry/services/client_packages.h"
#include "storage/base/error.h"

namespace mendel::registry::api {

Response list_client_packages(const Request& request, Services& services) {
  nlohmann::json items = nlohmann::json::array();
  for (const ClientPackage& package : services.client_packages.list()) {
    items.push_back({{"name", package.name},
                     {"size_bytes", package.size_bytes},
                     {"digest", package.digest.to_string()}});
  }
  if (items.empty()) {
    throw Error(ErrorCode::not_found,
                "no client is packaged on this server: ci/package-client makes one, and "
                "mendeld --client-dir says where it lies");
  }
  return with_etag(request, json_response(200, {{"items", std::move(items)}}));
}

Response get_client_package(const Request& request, Services& services) {
  const auto name = Name::parse("client", request.path("name"));
  ClientPackages::Opened opened = services.client_packages.open(name);
  const ClientPackage& package = opened.package;

  Response response;
  const std::string etag = strong_tag(package.digest.to_string());
  response.headers.set("Content-Type", "application/gzip");
  response.headers.set("ETag", etag);
  response.headers.set("Repr-Digest", repr_digest(package.digest));
  response.headers.set("Cache-Control", "no-cache");
  set_attachment(response.headers, package.name);
  if (request.none_match(etag)) {
    response.status = 304;
  } else {
    response.body = ByteStream{std::move(opened.bytes), package.size_bytes};
  }
  return response;
}

}  // namespace mendel::registry::api
