#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "cli/resolve.h"

namespace mendel::cli {

// The pedigree of a version as the server tells it, all pages of it.
struct PedigreeDocument {
  std::vector<Json> nodes;  // the root first
  std::vector<Json> edges;
  std::size_t hidden = 0;  // nodes that the caller may not read
};

// direction: "up" or "down". Without depth, all levels.
PedigreeDocument get_pedigree(ApiClient& server, const ResolvedVersion& version,
                              std::string_view direction, std::optional<int> depth);

}  // namespace mendel::cli
