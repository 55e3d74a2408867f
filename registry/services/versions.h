#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "registry/services/blobs.h"
#include "registry/services/caller.h"
#include "registry/services/change_feed.h"
#include "registry/services/manifest_table.h"
#include "registry/services/version.h"
#include "schema/database.h"
#include "storage/base/reference.h"

namespace mendel::registry {

// Finds versions and their manifests, and remembers both, bounded. Callers have been
// authorised for the namespace. The remembered_ twins answer from memory alone and may be
// called on an I/O thread; nullptr: ask the other on a worker. Any thread.
class VersionService {
 public:
  using Render = std::function<RenderedVersion(const Version&)>;

  VersionService(schema::Database& database, ChangeFeed& changes, BlobService& blobs,
                 Render render);
  ~VersionService();

  // Throws not_found; a name of another kind is not_found, and the message says which it
  // is.
  std::shared_ptr<const VersionRecord> get(const ArtifactName& artifact,
                                           storage::ArtifactKind kind,
                                           const VersionRef& ref);
  std::shared_ptr<const VersionRecord> remembered(const ArtifactName& artifact,
                                                  storage::ArtifactKind kind,
                                                  const VersionRef& ref) const;

  std::shared_ptr<const VersionRecord> get_of_any_kind(const ArtifactName& artifact,
                                                       const VersionRef& ref);

  // Newest first, those with numbers below before.
  std::vector<Version> list(const ArtifactName& artifact, storage::ArtifactKind kind,
                            std::optional<VersionNumber> before, std::size_t limit);

  std::shared_ptr<const ManifestTable> manifest(const Version& version);
  std::shared_ptr<const ManifestTable> remembered_manifest(const Version& version) const;

  // The same, but of a model set the whole tree, with the files of its components.
  std::shared_ptr<const ManifestTable> contents(const Version& version);
  std::shared_ptr<const ManifestTable> remembered_contents(const Version& version) const;

  // The canonical manifest of a component ("tracking"), or of one within it
  // ("tracking/inner"). Throws not_found.
  std::string component_manifest(const Version& version, std::string_view path);

  // Marks a version "do not use". Throws already_exists while an alias points at it, unless
  // aliases may stay there. Yanking what is yanked changes the reason, no more.
  enum class PointingAliases { forbid, allow };
  std::shared_ptr<const VersionRecord> yank(
      const Caller& caller, const ArtifactName& artifact, storage::ArtifactKind kind,
      const VersionRef& ref, const std::string& reason, PointingAliases aliases);
  std::shared_ptr<const VersionRecord> restore(const Caller& caller,
                                               const ArtifactName& artifact,
                                               storage::ArtifactKind kind,
                                               const VersionRef& ref,
                                               const std::string& reason);

  // Takes a version away: its number is never used again. Throws already_exists while an
  // alias points at it or a version that is not deleted was made with it; those that the
  // caller may not read are counted, not named.
  void remove(const Caller& caller, const ArtifactName& artifact,
              storage::ArtifactKind kind, const VersionRef& ref, const std::string& reason);

 private:
  struct State;

  // Runs check within the transaction, once the version's row is locked.
  using Check = std::function<void(schema::Transaction&, const Version&)>;
  Version set_state(const Caller& caller, const ArtifactName& artifact,
                    storage::ArtifactKind kind, const VersionRef& ref, VersionState wanted,
                    const std::string& reason, PointingAliases aliases, const Check& check);

  std::unique_ptr<State> state_;
};

}  // namespace mendel::registry
