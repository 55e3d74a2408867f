#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/manifest.h"

namespace mendel::registry {

// The manifest of a version, decoded, for looking files up. Immutable: any thread.
class ManifestTable {
 public:
  // bytes: the canonical form. Throws what decode_manifest() throws.
  explicit ManifestTable(std::string bytes);

  // A model set as one tree (storage/manifest_set.h).
  explicit ManifestTable(storage::Manifest tree) : manifest_(std::move(tree)) {}

  const storage::Manifest& manifest() const { return manifest_; }
  // What the version's digest covers; empty for a tree.
  const std::string& bytes() const { return bytes_; }

  // The entry of path for the first of platforms that has it; then the one for all
  // platforms. Without platforms: the one for all, or the only one there is. nullptr: none.
  const storage::ManifestFile* find(std::string_view path,
                                    const std::vector<std::string>& platforms) const;

  // The platforms under which path exists, for the message where find() found none.
  std::vector<std::string> platforms_of(std::string_view path) const;

  std::size_t memory_bytes() const;

 private:
  std::string bytes_;
  storage::Manifest manifest_;
};

}  // namespace mendel::registry
