#pragma once

#include <memory>

#include "registry/api/request.h"
#include "registry/api/routes.h"
#include "registry/services/services.h"

namespace mendel::registry::api {

// PUT /api/v1/namespaces/{ns}/blobs/{digest}: the bytes, streamed.
std::unique_ptr<BodyConsumer> put_blob(const Request& request, Services& services);

// HEAD of the same: whether this namespace has it.
Response head_blob(const Request& request, Services& services);

}  // namespace mendel::registry::api
