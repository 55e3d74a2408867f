#pragma once

#include <memory>

#include "registry/api/request.h"
#include "registry/api/routes.h"
#include "registry/services/services.h"

namespace mendel::registry::api {

// The native protocol of pushing, below /api/v1/namespaces/{ns}/uploads.
Response create_upload(const Request& request, Services& services);
Response get_upload(const Request& request, Services& services);
Response delete_upload(const Request& request, Services& services);

// POST …/{id}/blobs and …/{id}/chunks: which of these does the namespace have?
Response find_missing_blobs(const Request& request, Services& services);
Response find_chunks(const Request& request, Services& services);

// POST …/{id}/packs: a stream of packs.
std::unique_ptr<BodyConsumer> receive_packs(const Request& request, Services& services);

}  // namespace mendel::registry::api
