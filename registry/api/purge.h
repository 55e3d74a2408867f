#pragma once

#include "registry/api/request.h"
#include "registry/services/services.h"

namespace mendel::registry::api {

Response purge_blobs(const Request& request, Services& services);

}  // namespace mendel::registry::api
