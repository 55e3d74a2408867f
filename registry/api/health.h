#pragma once

#include <optional>

#include "registry/api/request.h"
#include "registry/services/services.h"

namespace mendel::registry::api {

// GET /healthz: the process answers. GET /readyz: and so do both stores.
Response get_health(const Request& request, Services& services);
std::optional<Response> get_health_from_memory(const Request& request, Services& services);
Response get_readiness(const Request& request, Services& services);

// GET /metrics and /api/v1/openapi.json.
Response get_metrics(const Request& request, Services& services);
Response get_openapi(const Request& request, Services& services);

}  // namespace mendel::registry::api
