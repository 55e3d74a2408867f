#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/base/reference.h"

namespace mendel::registry {

// What events are of, and what triggers listen to. Names and not ids, so that a trigger can
// wait for an artifact that is not there yet. repository: as normal_repository() makes it.
std::string version_topic(const ArtifactName& artifact);
std::string alias_topic(const ArtifactName& artifact, const AliasName& alias);
std::string evaluation_topic(const ArtifactName& artifact);
std::string push_topic(std::string_view repository);
std::string kpi_topic(const Name& kpi);
std::string trigger_topic(std::int64_t trigger);  // its own: nobody else listens to it

}  // namespace mendel::registry
