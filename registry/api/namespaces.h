#pragma once

#include "registry/api/request.h"

namespace mendel::registry {
struct Services;
}

namespace mendel::registry::api {

Response list_namespaces(const Request& request, Services& services);
Response get_namespace(const Request& request, Services& services);
Response put_namespace(const Request& request, Services& services);

Response list_members(const Request& request, Services& services);
Response put_member(const Request& request, Services& services);
Response delete_member(const Request& request, Services& services);

}  // namespace mendel::registry::api
