#pragma once

#include "registry/api/request.h"
#include "registry/services/services.h"

namespace mendel::registry::api {

Response lease_job(const Request& request, Services& services);
Response post_job_heartbeat(const Request& request, Services& services);
Response finish_job(const Request& request, Services& services);

}  // namespace mendel::registry::api
