#pragma once

#include "registry/api/request.h"
#include "registry/services/services.h"

namespace mendel::registry::api {

// Below /api/v1/runs/{id}/checkpoints.
Response create_checkpoint(const Request& request, Services& services);
Response list_checkpoints(const Request& request, Services& services);
Response get_checkpoint_manifest(const Request& request, Services& services);

}  // namespace mendel::registry::api
