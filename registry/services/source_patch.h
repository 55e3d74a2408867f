#pragma once

#include <optional>
#include <string>

#include "registry/services/blobs.h"
#include "registry/services/caller.h"

namespace mendel::registry {

// Throws unprocessable where a source (a JSON object) names a patch that the namespace does
// not have.
void require_patch(BlobService& blobs, NamespaceId ns,
                   const std::optional<std::string>& source);

}  // namespace mendel::registry
