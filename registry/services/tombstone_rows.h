#pragma once

#include "registry/services/tombstones.h"
#include "schema/purge.h"

namespace mendel::registry {

Tombstone tombstone_of(const schema::TombstoneRow& row);

}  // namespace mendel::registry
