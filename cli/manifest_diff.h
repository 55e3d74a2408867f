#pragma once

#include <vector>

#include "storage/manifest.h"

namespace mendel::cli {

// How a file became another; nullptr where there was none, or is none.
struct FileChange {
  const storage::ManifestFile* before;
  const storage::ManifestFile* after;
};

// By path and platform, in their order. Points into the two manifests, which are
// normalised.
std::vector<FileChange> find_changes(const storage::Manifest& before,
                                     const storage::Manifest& after);

}  // namespace mendel::cli
