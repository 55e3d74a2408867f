#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "registry/services/version.h"

namespace mendel::registry::api {

// The version as API.md shows it, without "created", which only an answer to a publish has.
nlohmann::json to_json(const Version& version);

// The document that VersionService keeps beside a version.
std::string render_version(const Version& version);

}  // namespace mendel::registry::api
