#pragma once

#include "registry/api/request.h"
#include "registry/services/services.h"

namespace mendel::registry::api {

// GET /client/ and /client/{name}: the packaged command, for anybody; a worker node has
// nothing yet, not even a token.
Response list_client_packages(const Request& request, Services& services);
Response get_client_package(const Request& request, Services& services);

}  // namespace mendel::registry::api
