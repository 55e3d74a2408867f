#pragma once

#include <optional>

#include "registry/api/request.h"
#include "registry/services/services.h"

namespace mendel::registry::api {

Response list_versions(const Request& request, Services& services);
Response get_version(const Request& request, Services& services);
std::optional<Response> get_version_from_memory(const Request& request, Services& services);
Response yank_version(const Request& request, Services& services);
Response restore_version(const Request& request, Services& services);
Response delete_version(const Request& request, Services& services);

}  // namespace mendel::registry::api
