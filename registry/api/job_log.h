#pragma once

#include "registry/api/request.h"
#include "registry/services/services.h"

namespace mendel::registry::api {

Response post_job_log(const Request& request, Services& services);
Response get_job_log(const Request& request, Services& services);

}  // namespace mendel::registry::api
