#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "registry/services/edge.h"
#include "registry/services/version.h"

namespace mendel::registry::api {

nlohmann::json to_json(const PedigreeEdge& edge);

// The version as API.md shows it, without "created", which only an answer to a publish has.
nlohmann::json to_json(const Version& version);

// What VersionService keeps beside a version.
RenderedVersion render_version(const Version& version);

}  // namespace mendel::registry::api
