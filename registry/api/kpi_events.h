#pragma once

#include <memory>

#include "registry/api/request.h"
#include "registry/api/routes.h"
#include "registry/services/services.h"

namespace mendel::registry::api {

std::unique_ptr<BodyConsumer> post_kpi_events(const Request& request, Services& services);
Response list_kpi_events(const Request& request, Services& services);

}  // namespace mendel::registry::api
