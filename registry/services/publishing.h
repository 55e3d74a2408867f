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
#include "registry/services/inputs.h"
#include "registry/services/manifests.h"
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
                    InputService& inputs, ManifestService& manifests,
                    VersionService& versions, const Clock& clock);
  ~PublishingService();

  // A key makes a repeated request answer what the first one made (IETF draft
  // Idempotency-Key); digest covers the whole request.
  struct IdempotencyKey {
    std::string key;
    Digest request;
  };

  using Component = ManifestService::Component;

  struct Request {
    ArtifactName artifact;
    storage::ArtifactKind kind;
    // Exactly one: a manifest without components, whose stored files have no sizes yet, or
    // the digest of one that the namespace has.
    std::optional<storage::Manifest> manifest{};
    std::optional<Digest> manifest_digest{};
    std::string message{};
    std::map<std::string, std::string> labels{};
    std::string metrics = "{}";                    // JSON object
    std::optional<std::string> hyperparameters{};  // canonical JSON
    std::optional<std::string> source{};           // JSON object
    std::vector<InputRequest> inputs{};
    std::vector<Component> components{};  // beside manifest
    // A run that made it, and which of its checkpoints is the content: RunPublication
    // fills in what follows from them.
    std::optional<std::string> run{};  // UUID
    std::optional<std::string> checkpoint{};
    std::vector<schema::NewEdge> frozen_inputs{};  // beside inputs
    struct FromCheckpoint {
      std::int64_t run_id = 0;
      std::int64_t step = 0;
    };
    std::optional<FromCheckpoint> from_checkpoint{};
    std::vector<AliasName> aliases{};
    std::optional<IdempotencyKey> idempotency{};
  };

  struct Outcome {
    std::shared_ptr<const VersionRecord> record;
    bool created = false;  // false: the newest version was the same already
  };

  // Blobs and manifest are durable before a row names them; version, aliases and key are
  // one transaction, and so is the pedigree. What several threads publish to one artifact
  // at once shares it, so that an artifact takes more than one version per flush of the
  // database's log. Throws unprocessable for files whose bytes the namespace does not have
  // and for a key used with another request, not_found for a name of another kind and for
  // inputs that are not there or that the caller may not read.
  Outcome publish(const Caller& caller, NamespaceId ns, const Request& request);

 private:
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
  ManifestService::Stored store_manifest(const Caller& caller, NamespaceId ns,
                                         const Request& request);

  schema::Database& database_;
  ChangeFeed& changes_;
  BlobService& blobs_;
  InputService& inputs_;
  ManifestService& manifests_;
  VersionService& versions_;
  const Clock& clock_;
  const std::unique_ptr<Groups> groups_;
};

}  // namespace mendel::registry
