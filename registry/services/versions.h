#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "registry/services/blobs.h"
#include "registry/services/change_feed.h"
#include "registry/services/version.h"
#include "schema/database.h"
#include "storage/base/clock.h"
#include "storage/base/reference.h"
#include "storage/manifest.h"

namespace mendel::registry {

// The manifest of a version, decoded, for looking files up.
class ManifestTable {
 public:
  explicit ManifestTable(storage::Manifest manifest, std::string bytes);

  const storage::Manifest& manifest() const { return manifest_; }
  const std::string& bytes() const { return bytes_; }  // canonical: what the digest covers

  // The entry of path for the first of platforms that has it; then the one for all platforms.
  // Without platforms: the one for all, or the only one there is. nullptr: none.
  const storage::ManifestFile* find(std::string_view path,
                                    const std::vector<std::string>& platforms) const;

  // The platforms under which path exists, for the message when find() found none.
  std::vector<std::string> platforms_of(std::string_view path) const;

  std::size_t memory_bytes() const;

 private:
  storage::Manifest manifest_;
  std::string bytes_;
};

// Finds versions and their manifests, remembers both (bounded), publishes and changes them.
// Callers have been authorised for the namespace. The remembered_ twins answer from memory
// alone and may be called on an I/O thread; nullptr: ask the other on a worker. Any thread.
class VersionService {
 public:
  using Render = std::function<std::string(const Version&)>;

  VersionService(schema::Database& database, ChangeFeed& changes, BlobService& blobs,
                 const Clock& clock, Render render);
  ~VersionService();

  // Throws not_found; a name of another kind is not_found, and the message says which it is.
  std::shared_ptr<const VersionRecord> get(const ArtifactName& artifact,
                                           storage::ArtifactKind kind, const VersionRef& ref);
  std::shared_ptr<const VersionRecord> remembered(const ArtifactName& artifact,
                                                  storage::ArtifactKind kind,
                                                  const VersionRef& ref) const;

  std::shared_ptr<const ManifestTable> manifest(const Version& version);
  std::shared_ptr<const ManifestTable> remembered_manifest(const Version& version) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mendel::registry
