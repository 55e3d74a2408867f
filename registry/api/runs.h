#pragma once

#include "registry/api/request.h"
#include "registry/services/services.h"

namespace mendel::registry::api {

// /api/v1/runs and /api/v1/runs/{id}.
Response create_run(const Request& request, Services& services);
Response list_runs(const Request& request, Services& services);
Response get_run(const Request& request, Services& services);
Response patch_run(const Request& request, Services& services);

// POST …/heartbeat: the run is alive.
Response post_heartbeat(const Request& request, Services& services);

}  // namespace mendel::registry::api
