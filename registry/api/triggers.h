#pragma once

#include "registry/api/request.h"
#include "registry/services/services.h"

namespace mendel::registry::api {

Response list_triggers(const Request& request, Services& services);
Response get_trigger(const Request& request, Services& services);
Response put_trigger(const Request& request, Services& services);
Response delete_trigger(const Request& request, Services& services);
Response fire_trigger(const Request& request, Services& services);
Response test_trigger(const Request& request, Services& services);

}  // namespace mendel::registry::api
