#pragma once

#include "registry/api/request.h"

namespace mendel::registry {
struct Services;
}

namespace mendel::registry::api {

Response list_principals(const Request& request, Services& services);
Response get_principal(const Request& request, Services& services);
Response put_principal(const Request& request, Services& services);

Response whoami(const Request& request, Services& services);

}  // namespace mendel::registry::api
