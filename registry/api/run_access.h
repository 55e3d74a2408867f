#pragma once

#include "registry/api/request.h"
#include "registry/services/runs.h"
#include "registry/services/services.h"

namespace mendel::registry::api {

// The run that the path names, for a caller who may read its namespace, or write there. To
// all others it does not exist: not_found, or unauthenticated without a token.
RunService::Identity readable_run(const Request& request, Services& services);
RunService::Identity writable_run(const Request& request, Services& services);

// An attempt at a job writes to the runs that it has started, publishes what they made, and
// knows no others. Throws permission_denied.
void require_own_run(const Caller& caller, const RunService::Identity& run);

}  // namespace mendel::registry::api
