#pragma once

#include <vector>

#include "registry/api/json.h"
#include "storage/base/digest.h"
#include "storage/base/reference.h"
#include "storage/manifest.h"

namespace mendel::registry::api {

// A file whose bytes a version of any namespace gives.
struct AttachedFile {
  Digest digest;
  Reference from;
};

// "files": the content of a version or of a checkpoint. What breaks a rule becomes a
// problem of the reader.
std::vector<storage::ManifestFile> read_files(ObjectReader& body,
                                              std::vector<AttachedFile>& attached);

}  // namespace mendel::registry::api
