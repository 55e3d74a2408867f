#pragma once

#include "registry/api/request.h"
#include "registry/services/services.h"

namespace mendel::registry::api {

// Secrets of a namespace: what is written here, only jobs read.

Response put_secret(const Request& request, Services& services);
Response list_secrets(const Request& request, Services& services);
Response delete_secret(const Request& request, Services& services);

// Encrypts everything with the newest key.
Response rotate_secrets(const Request& request, Services& services);

}  // namespace mendel::registry::api
