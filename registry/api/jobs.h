#pragma once

#include "registry/api/request.h"
#include "registry/services/services.h"

namespace mendel::registry::api {

Response create_job(const Request& request, Services& services);
Response list_jobs(const Request& request, Services& services);
Response get_job(const Request& request, Services& services);
Response cancel_job(const Request& request, Services& services);
Response retry_job(const Request& request, Services& services);

}  // namespace mendel::registry::api
