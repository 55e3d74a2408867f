#pragma once

#include <vector>

#include "registry/api/file_body.h"
#include "registry/api/request.h"
#include "registry/services/services.h"

namespace mendel::registry::api {

// Gives the files to a namespace. A version that the caller may read, and whose manifest
// holds the blob, may do so; anything else is one and the same "not found".
void attach_files(const Request& request, Services& services, NamespaceId ns,
                  const std::vector<AttachedFile>& attached);

}  // namespace mendel::registry::api
