#pragma once

#include "registry/api/request.h"
#include "registry/services/services.h"

namespace mendel::registry::api {

Response list_events(const Request& request, Services& services);
Response get_event(const Request& request, Services& services);
Response replay_event(const Request& request, Services& services);

}  // namespace mendel::registry::api
