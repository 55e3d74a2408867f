#pragma once

#include <memory>

#include "registry/api/request.h"
#include "registry/api/routes.h"
#include "registry/services/services.h"

namespace mendel::registry::api {

// Below /api/v1/runs/{id}/metrics.
std::unique_ptr<BodyConsumer> post_run_metrics(const Request& request, Services& services);
Response get_run_metrics(const Request& request, Services& services);

}  // namespace mendel::registry::api
