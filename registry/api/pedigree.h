#pragma once

#include "registry/api/request.h"
#include "registry/services/services.h"

namespace mendel::registry::api {

// What made a version and what it reached, which versions a commit made, and the patch that
// a version's source had beyond its commit.

Response get_pedigree(const Request& request, Services& services);
Response get_commit(const Request& request, Services& services);
Response get_patch(const Request& request, Services& services);

}  // namespace mendel::registry::api
