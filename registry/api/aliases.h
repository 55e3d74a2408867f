#pragma once

#include "registry/api/request.h"
#include "registry/services/services.h"

namespace mendel::registry::api {

Response get_alias(const Request& request, Services& services);
Response put_alias(const Request& request, Services& services);
Response delete_alias(const Request& request, Services& services);
Response list_alias_history(const Request& request, Services& services);

}  // namespace mendel::registry::api
