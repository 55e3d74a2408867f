#pragma once

#include "cli/resolve.h"

namespace mendel::cli {

// The evaluations of a version, newest first. None from a server that keeps none.
std::vector<Json> get_evaluations(ApiClient& server, const ResolvedVersion& version);

}  // namespace mendel::cli
