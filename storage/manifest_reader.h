#pragma once

#include <string_view>

#include "storage/manifest.h"

namespace mendel::storage {

// Reads the JSON of a manifest member by member, without a document in memory. Checks types
// and names of members only; decode_manifest() checks the rest. Throws unprocessable.
Manifest read_manifest(std::string_view json);

}  // namespace mendel::storage
