#pragma once

#include "registry/options.h"
#include "registry/services/egress/key_ring.h"

namespace mendel::registry {

// The keys that secrets are encrypted with: from MENDELD_SECRET_KEY, or the file that
// MENDELD_SECRET_KEY_FILE names, or DATA/secret-key, which the first start makes. Throws
// invalid_argument for keys that are none, and for a file that others may read.
KeyRing load_secret_keys(const Options& options);

}  // namespace mendel::registry
