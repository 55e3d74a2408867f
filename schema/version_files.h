#pragma once

#include <cstdint>
#include <vector>

#include "schema/database.h"
#include "storage/base/digest.h"

namespace mendel::schema {

// Notes which stored files a new version has, so that a file in hand finds the versions
// that contain it: one row for each file that the version before did not have, and one
// change for each that it had. The artifact is locked, and has no newer version; files:
// each once, sorted, those of its components among them. A version with the manifest of the
// one before it needs no note.
void record_version_files(Transaction& tx, std::int64_t artifact_id, std::int32_t number,
                          const std::vector<Digest>& files);

}  // namespace mendel::schema
