#pragma once

#include "registry/api/request.h"
#include "registry/services/services.h"

namespace mendel::registry::api {

Response list_audit(const Request& request, Services& services);

}  // namespace mendel::registry::api
