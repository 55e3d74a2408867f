#pragma once

#include "registry/api/request.h"
#include "registry/services/services.h"

namespace mendel::registry::api {

Response list_kpis(const Request& request, Services& services);
Response get_kpi(const Request& request, Services& services);
Response put_kpi(const Request& request, Services& services);

}  // namespace mendel::registry::api
