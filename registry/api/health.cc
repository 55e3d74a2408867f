#include "registry/api/health.h"

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "registry/api/json.h"
#include "registry/api/metrics.h"
#include "registry/api/openapi.h"
#include "registry/services/downloads.h"
#include "registry/services/health.h"

namespace mendel::registry::api {

namespace {

// Not by version: names of users' things never become labels.
std::string downloads_text(const Downloads& downloads) {
  constexpr std::string_view kName = "mendel_downloads_total";
  return fmt::format(
      "# HELP {0} Downloads of versions begun: files, archives, bundles.\n"
      "# TYPE {0} counter\n{0} {1}\n",
      kName, downloads.counted());
}

}  // namespace

Response get_health(const Request&, Services&) {
  return json_response(200, {{"status", "ok"}});
}

std::optional<Response> get_health_from_memory(const Request& request, Services& services) {
  return get_health(request, services);
}

Response get_readiness(const Request&, Services& services) {
  services.health.require_ready();
  return json_response(200, {{"status", "ready"}});
}

Response get_metrics(const Request& request, Services& services) {
  Response response;
  response.headers.set("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
  response.headers.set("Cache-Control", "no-store");
  response.body = request.metrics().text() + downloads_text(services.downloads);
  return response;
}

Response get_openapi(const Request& request, Services&) {
  Response response;
  response.headers.set("Content-Type", "application/json");
  response.headers.set("Cache-Control", "no-cache");
  response.body = std::string(openapi_document());
  return with_etag(request, std::move(response));
}

}  // namespace mendel::registry::api
