#pragma once

#include "registry/api/request.h"

namespace mendel::registry::api {

// Whether ?dry_run=true asks for what would be, and for no change. Throws invalid_argument.
bool is_dry_run(const Request& request);

}  // namespace mendel::registry::api
