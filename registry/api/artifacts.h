#pragma once

#include "registry/api/request.h"
#include "registry/services/services.h"

namespace mendel::registry::api {

Response list_artifacts(const Request& request, Services& services);
Response get_artifact(const Request& request, Services& services);
Response patch_artifact(const Request& request, Services& services);

}  // namespace mendel::registry::api
