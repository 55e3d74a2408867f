#pragma once

#include "registry/api/request.h"
#include "registry/services/services.h"

namespace mendel::registry::api {

Response rebuild_index(const Request& request, Services& services);
Response check_ledger(const Request& request, Services& services);

}  // namespace mendel::registry::api
