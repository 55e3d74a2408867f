#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "registry/services/blobs.h"
#include "registry/services/caller.h"
#include "registry/services/change_feed.h"
#include "registry/services/version.h"
#include "registry/services/versions.h"
#include "schema/database.h"
#include "storage/base/clock.h"
#include "storage/base/reference.h"
#include "storage/manifest.h"

namespace mendel::registry {

// Makes versions: immutable, numbered 1, 2, 3 … without gaps, however many publish at once.
// Callers have been authorised for the namespace. Any thread.
class PublishingService {
 public:
  PublishingService(schema::Database& database, ChangeFeed& changes, BlobService& blobs,
                    VersionService& versions, const Clock& clock);
  ~PublishingService();

  // A key makes a repeated request answer what the first one made (IETF draft
  // Idempotency-Key); digest covers the whole request.
  struct IdempotencyKey {
    std::string key;
    Digest request;
  };

  struct Request {
    ArtifactName artifact;
    storage::ArtifactKind kind;
    // Exactly one: a manifest whose stored files have no sizes yet, or the digest of one
    // that the namespace has.
    std::optional<storage::Manifest> manifest;
    std::optional<Digest> manifest_digest;
    std::string message;
    std::map<std::string, std::string> labels;
    std::string metrics;                         // JSON object
    std::optional<std::string> hyperparameters;  // canonical JSON
    std::optional<std::string> source;           // JSON object
    std::vector<AliasName> aliases;
    std::optional<IdempotencyKey> idempotency;
  };

  struct Outcome {
    std::shared_ptr<const VersionRecord> record;
    bool created = false;  // false: the newest version was the same already
  };

  // Blobs and manifest are durable before a row names them; version, aliases and key are
  // one transaction. What several threads publish to one artifact at once shares it, so
  // that an artifact takes more than one version per flush of the database's log. Throws
  // unprocessable for files whose bytes the namespace does not have
  // and for a key used with another request, not_found for a name of another kind.
  Outcome publish(const Caller& caller, NamespaceId ns, const Request& request);

 private:
  struct StoredManifest {
    Digest digest;
    std::uint64_t size_bytes = 0;
    std::uint64_t file_count = 0;
  };
  struct Made {
    VersionNumber number = 0;
    bool created = false;
  };
  struct Pending;
  struct Artifact;
  struct Groups;

  void publish_group(NamespaceId ns, std::span<Pending* const> group);
  void publish_together(NamespaceId ns, std::span<Pending* const> group);
  static void publish_one(schema::Transaction& tx, Artifact& artifact, Pending& pending,
                          Timestamp now);
  static std::optional<Made> find_earlier(schema::Transaction& tx, const Caller& caller,
                                          const Request& request);
  StoredManifest store_manifest(NamespaceId ns, const Request& request);
  std::string uploaded_manifest(NamespaceId ns, const Digest& digest);
  enum class Sizes { filled_in, stated };
  void require_blobs(NamespaceId ns, storage::Manifest& manifest, Sizes sizes_are);

  schema::Database& database_;
  ChangeFeed& changes_;
  BlobService& blobs_;
  VersionService& versions_;
  const Clock& clock_;
  const std::unique_ptr<Groups> groups_;
};

}  // namespace mendel::registry
