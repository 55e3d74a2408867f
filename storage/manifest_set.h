#pragma once

#include <span>

#include "storage/manifest.h"

namespace mendel::storage {

// A model set as one tree: its own files, and those of each component below the
// component's name. components are the manifests of set.components, in their order, and
// have no components themselves. The result is in the order of a manifest.
//
// Throws unprocessable where a path becomes longer than kPathSizeMax, or the files more
// than kSetFilesMax.
Manifest expand(const Manifest& set, std::span<const Manifest> components);

inline constexpr std::size_t kSetFilesMax = 1'000'000;

}  // namespace mendel::storage
