#pragma once

#include <memory>

#include "registry/api/request.h"
#include "registry/api/routes.h"
#include "registry/services/services.h"

namespace mendel::registry::api {

// Webhooks: made and looked at by writers of a namespace, delivered to by anybody who knows
// a hook's secret.

Response create_hook(const Request& request, Services& services);
Response list_hooks(const Request& request, Services& services);
Response get_hook(const Request& request, Services& services);
Response delete_hook(const Request& request, Services& services);

std::unique_ptr<BodyConsumer> receive_delivery(const Request& request, Services& services);

}  // namespace mendel::registry::api
