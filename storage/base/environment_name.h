#pragma once

#include "storage/base/reference.h"

namespace mendel {

// NAMESPACE/NAME-env: what keeps the environments in which versions of an artifact, or runs
// of that name, were made.
ArtifactName environment_of(const ArtifactName& owner);

}  // namespace mendel
