#pragma once

#include "cli/config.h"
#include "cli/rebuild_check.h"

namespace mendel::cli {

// Prints whether all that made a version can still be had. Throws not_found, after that,
// where it cannot.
void verify_rebuild(const Reference& reference, BytesAre bytes_are,
                    const GlobalOptions& global);

}  // namespace mendel::cli
