#pragma once

#include "registry/api/message.h"
#include "registry/api/request.h"
#include "registry/services/services.h"

namespace mendel::registry::api {

// What was produced with anything that was made from a version, or from a commit.
Response get_kpi_impact(const Request& request, Services& services);

}  // namespace mendel::registry::api
