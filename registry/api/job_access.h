#pragma once

#include "registry/api/request.h"
#include "registry/services/jobs/jobs.h"
#include "registry/services/services.h"

namespace mendel::registry::api {

// The job that the path names, for a caller who may read its namespace, or write there, and
// for the job's own attempt. To all others it does not exist: not_found, or unauthenticated
// without a token.
schema::JobRow readable_job(const Request& request, Services& services);
schema::JobRow writable_job(const Request& request, Services& services);

}  // namespace mendel::registry::api
