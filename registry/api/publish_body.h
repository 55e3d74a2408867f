#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "registry/api/file_body.h"
#include "registry/services/publishing.h"
#include "storage/base/reference.h"

namespace mendel::registry::api {

// What a request to publish asks for, as far as its body tells: without a key, and with the
// files in attached still to be attached. Throws invalid_argument with every broken rule.
PublishingService::Request read_publish_body(nlohmann::json document,
                                             const ArtifactName& artifact,
                                             storage::ArtifactKind kind,
                                             std::vector<AttachedFile>& attached);

}  // namespace mendel::registry::api
