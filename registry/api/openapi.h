#pragma once

#include <string_view>

namespace mendel::registry::api {

// registry/api/openapi.json, embedded by the build: OpenAPI 3.1 of every route.
std::string_view openapi_document();

}  // namespace mendel::registry::api
