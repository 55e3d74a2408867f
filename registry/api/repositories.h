#pragma once

#include "registry/api/request.h"
#include "registry/services/services.h"

namespace mendel::registry::api {

// Whether the server can have a commit of a repository that others keep.
Response check_repository(const Request& request, Services& services);

}  // namespace mendel::registry::api
