#pragma once

#include <nlohmann/json.hpp>

#include "registry/services/caller.h"

namespace mendel::registry::api {

// ["read", "write"]
nlohmann::json scopes_json(Scopes scopes);

}  // namespace mendel::registry::api
