#pragma once

#include "registry/api/request.h"
#include "registry/services/services.h"

namespace mendel::registry::api {

// Below /api/v1/{kind}/{ns}/{name}/versions/{ref}/evaluations.
Response create_evaluation(const Request& request, Services& services);
Response list_evaluations(const Request& request, Services& services);

}  // namespace mendel::registry::api
