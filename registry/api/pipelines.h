#pragma once

#include "registry/api/request.h"
#include "registry/services/services.h"

namespace mendel::registry::api {

Response list_pipelines(const Request& request, Services& services);
Response get_pipeline(const Request& request, Services& services);
Response put_pipeline(const Request& request, Services& services);
Response delete_pipeline(const Request& request, Services& services);

}  // namespace mendel::registry::api
