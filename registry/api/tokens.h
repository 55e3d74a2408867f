#pragma once

#include "registry/api/request.h"

namespace mendel::registry {
struct Services;
}

namespace mendel::registry::api {

Response create_token(const Request& request, Services& services);
Response list_tokens(const Request& request, Services& services);
Response get_token(const Request& request, Services& services);
Response revoke_token(const Request& request, Services& services);

}  // namespace mendel::registry::api
