#pragma once

#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "cli/api_client.h"
#include "cli/chunk_map.h"
#include "cli/resolve.h"
#include "storage/chunk_trail.h"

namespace mendel::cli {

// The version that a push builds on: the newest one of the artifact, if it has any. Its
// files are in the namespace already, and most of the new ones begin as one of them.
// Immutable once it is made, so any thread.
class PushBase {
 public:
  static PushBase none() { return {}; }
  static PushBase find(ApiClient& server, storage::ArtifactKind kind,
                       const ArtifactName& name);

  bool has_blob(const Digest& digest) const { return blobs_.contains(digest); }
  const std::optional<ResolvedVersion>& version() const { return version_; }

  // The stored file of the same path and platform.
  const storage::ManifestFile* find_file(const storage::ManifestFile& like) const;

  std::string recipe_path(const storage::ManifestFile& file) const;

 private:
  std::optional<ResolvedVersion> version_;
  storage::Manifest manifest_;
  std::unordered_set<Digest> blobs_;
};

// How a stored file is cut, as far as it is worth remembering.
struct BaseChunks {
  static constexpr std::size_t kChunksMax = 1u << 20;

  storage::ChunkTrail trail;
  bool complete = false;  // false: the file has more than kChunksMax
};

// Reads the recipe of a file of the base, and tells packs where its chunks are.
BaseChunks read_base_chunks(ApiClient& server, const std::string& recipe_path,
                            ChunkMap& packs);

}  // namespace mendel::cli
