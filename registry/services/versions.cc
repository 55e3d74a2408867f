#include "registry/services/versions.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "registry/services/freshness.h"
#include "registry/services/version_rows.h"
#include "schema/changes.h"
#include "storage/base/error.h"
#include "storage/base/lru_cache.h"

namespace mendel::registry {

namespace {

constexpr std::size_t kVersionMemoryBytesMax = 32u << 20;
constexpr std::size_t kManifestMemoryBytesMax = 64u << 20;

// The kind is part of the key: a name asked for under another kind is not remembered.
std::string memory_key(const ArtifactName& artifact, storage::ArtifactKind kind,
                       const VersionRef& ref) {
  const auto* alias = std::get_if<AliasName>(&ref.value());
  return fmt::format("{} {} {}", storage::to_string(kind), artifact.folded(),
                     alias != nullptr ? alias->folded() : ref.text());
}

std::size_t memory_bytes(const VersionRecord& record) {
  return sizeof record + 3 * record.rendered.document.size();
}

}  // namespace

struct VersionService::State {
  struct Remembered {
    std::shared_ptr<const VersionRecord> record;
    Freshness::Moment noted;
  };

  schema::Database& database;
  ChangeFeed& changes;
  BlobService& blobs;
  Render render;
  Freshness freshness;
  LruCache<std::string, const Remembered> versions{kVersionMemoryBytesMax};
  LruCache<Digest, const ManifestTable> manifests{kManifestMemoryBytesMax};

  void forget(std::string_view topic) {
    if (topic.empty()) return freshness.invalidate_all();
    if (const auto id = artifact_of_topic(topic)) freshness.invalidate(*id);
  }

  std::shared_ptr<const VersionRecord> record_of(Version version) const {
    RenderedVersion rendered = render(version);
    return std::make_shared<const VersionRecord>(
        VersionRecord{std::move(version), std::move(rendered)});
  }
};

VersionService::VersionService(schema::Database& database, ChangeFeed& changes,
                               BlobService& blobs, Render render)
    : state_(std::make_unique<State>(database, changes, blobs, std::move(render))) {
  changes.listen([state = state_.get()](std::string_view topic) { state->forget(topic); });
}

VersionService::~VersionService() = default;

std::shared_ptr<const VersionRecord> VersionService::remembered(
    const ArtifactName& artifact, storage::ArtifactKind kind, const VersionRef& ref) const {
  if (!state_->changes.fresh()) return nullptr;
  const auto found = state_->versions.find(memory_key(artifact, kind, ref));
  if (!found) return nullptr;
  const auto& record = found->record;
  return state_->freshness.still_valid(record->version.artifact_id, found->noted) ? record
                                                                                  : nullptr;
}

std::shared_ptr<const VersionRecord> VersionService::get(const ArtifactName& artifact,
                                                         storage::ArtifactKind kind,
                                                         const VersionRef& ref) {
  if (auto known = remembered(artifact, kind, ref)) return known;
  const Freshness::Moment noted = state_->freshness.now();
  auto record = state_->record_of(
      state_->database.read("find a version", [&](schema::Transaction& tx) {
        const schema::ArtifactRow row = get_artifact(tx, artifact, kind);
        return to_version(row, get_version(tx, row, ref));
      }));
  auto entry = std::make_shared<State::Remembered>(record, noted);
  state_->versions.put(memory_key(artifact, kind, ref), std::move(entry),
                       memory_bytes(*record));
  return record;
}

std::shared_ptr<const VersionRecord> VersionService::get_of_any_kind(
    const ArtifactName& artifact, const VersionRef& ref) {
  const auto kind = state_->database.read("find an artifact", [&](schema::Transaction& tx) {
    return kind_of(registry::get_artifact(tx, artifact));
  });
  return get(artifact, kind, ref);
}

std::vector<Version> VersionService::list(const ArtifactName& artifact,
                                          storage::ArtifactKind kind,
                                          std::optional<VersionNumber> before,
                                          std::size_t limit) {
  return state_->database.read("list versions", [&](schema::Transaction& tx) {
    const schema::ArtifactRow row = get_artifact(tx, artifact, kind);
    std::vector<Version> versions;
    for (auto& version : schema::list_versions(
             tx, row.id, before.value_or(std::numeric_limits<VersionNumber>::max()),
             static_cast<std::int64_t>(limit))) {
      versions.push_back(to_version(row, std::move(version)));
    }
    return versions;
  });
}

std::shared_ptr<const ManifestTable> VersionService::remembered_manifest(
    const Version& version) const {
  return state_->manifests.find(version.digest);
}

std::shared_ptr<const ManifestTable> VersionService::manifest(const Version& version) {
  if (auto known = remembered_manifest(version)) return known;
  auto bytes = state_->blobs.find_manifest(version.namespace_id, version.digest);
  if (!bytes) {
    throw Error(ErrorCode::data_loss,
                "the manifest of " + version.reference() + " is lost");
  }
  auto table = std::make_shared<const ManifestTable>(std::move(*bytes));
  state_->manifests.put(version.digest, table, table->memory_bytes());
  return table;
}

std::shared_ptr<const VersionRecord> VersionService::yank(const ArtifactName& artifact,
                                                          storage::ArtifactKind kind,
                                                          const VersionRef& ref,
                                                          const std::string& reason,
                                                          PointingAliases aliases) {
  return state_->record_of(
      set_state(artifact, kind, ref, VersionState::yanked, reason, aliases));
}

std::shared_ptr<const VersionRecord> VersionService::restore(const ArtifactName& artifact,
                                                             storage::ArtifactKind kind,
                                                             const VersionRef& ref,
                                                             const std::string& reason) {
  return state_->record_of(
      set_state(artifact, kind, ref, VersionState::active, reason, PointingAliases::allow));
}

void VersionService::remove(const ArtifactName& artifact, storage::ArtifactKind kind,
                            const VersionRef& ref, const std::string& reason) {
  set_state(artifact, kind, ref, VersionState::deleted, reason, PointingAliases::forbid);
}

Version VersionService::set_state(const ArtifactName& artifact, storage::ArtifactKind kind,
                                  const VersionRef& ref, VersionState wanted,
                                  const std::string& reason, PointingAliases aliases) {
  Version version =
      state_->database.transact("change a version's state", [&](schema::Transaction& tx) {
        const ArtifactId id = get_artifact(tx, artifact, kind).id;
        const schema::ArtifactRow row = schema::lock_artifact_by_id(tx, id);
        schema::VersionRow found = get_version(tx, row, ref);
        if (aliases == PointingAliases::forbid && !found.aliases.empty()) {
          throw Error(ErrorCode::already_exists,
                      fmt::format("{}/{}:{} is what {} points at: move it first, or force",
                                  row.namespace_name, row.name, found.number,
                                  fmt::join(found.aliases, ", ")));
        }
        found.state = to_string(wanted);
        found.state_reason = reason;
        schema::update_version_state(tx, found.id, found.state, reason);
        schema::record_change(tx, artifact_topic(row.id));
        return to_version(row, std::move(found));
      });
  state_->changes.announce(artifact_topic(version.artifact_id));
  return version;
}

}  // namespace mendel::registry
