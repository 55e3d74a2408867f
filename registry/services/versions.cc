#include "registry/services/versions.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "registry/services/audit.h"
#include "registry/services/freshness.h"
#include "registry/services/manifests.h"
#include "registry/services/namespace_rows.h"
#include "registry/services/version_rows.h"
#include "schema/changes.h"
#include "schema/pedigree.h"
#include "storage/base/error.h"
#include "storage/base/lru_cache.h"

namespace mendel::registry {

namespace {

constexpr std::size_t kVersionMemoryBytesMax = 32u << 20;
constexpr std::size_t kManifestMemoryBytesMax = 64u << 20;
constexpr std::size_t kTreeMemoryBytesMax = 16u << 20;
constexpr std::int64_t kNamedDependentsMax = 10;

// The kind is part of the key: a name asked for under another kind is not remembered.
std::string memory_key(const ArtifactName& artifact, storage::ArtifactKind kind,
                       const VersionRef& ref) {
  const auto* alias = std::get_if<AliasName>(&ref.value());
  return fmt::format("{} {} {}", storage::to_string(kind), artifact.folded(),
                     alias != nullptr ? alias->folded() : ref.text());
}

// The version's row is locked by now, so nothing new can come to need it.
void refuse_if_needed(schema::Transaction& tx, const Caller& caller,
                      const Version& version) {
  const auto dependents =
      schema::list_dependents(tx, viewer_for(caller), version.id, kNamedDependentsMax + 1);
  if (dependents.empty()) return;
  std::vector<std::string> names;
  for (const auto& dependent : dependents) {
    if (dependent.is_seen) names.push_back(dependent.version.reference());
  }
  if (names.size() < dependents.size()) names.emplace_back("others that you may not read");
  if (dependents.size() > kNamedDependentsMax) names.emplace_back("more");
  throw Error(
      ErrorCode::already_exists,
      fmt::format("{} is needed by {}", version.reference(), fmt::join(names, ", ")));
}

std::string_view action_of(VersionState wanted) {
  switch (wanted) {
    case VersionState::active: return "version.restore";
    case VersionState::yanked: return "version.yank";
    case VersionState::deleted: return "version.delete";
  }
  return "version.change";
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
  LruCache<Digest, const ManifestTable> trees{kTreeMemoryBytesMax};  // of model sets

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

std::shared_ptr<const ManifestTable> VersionService::remembered_contents(
    const Version& version) const {
  if (version.components.empty()) return remembered_manifest(version);
  return state_->trees.find(version.digest);
}

std::shared_ptr<const ManifestTable> VersionService::contents(const Version& version) {
  if (auto known = remembered_contents(version)) return known;
  auto table = manifest(version);
  if (version.components.empty()) return table;
  auto tree = std::make_shared<const ManifestTable>(
      expand_set(state_->blobs, version.namespace_id, table->manifest()));
  state_->trees.put(version.digest, tree, tree->memory_bytes());
  return tree;
}

std::string VersionService::component_manifest(const Version& version,
                                               std::string_view path) {
  std::string bytes = manifest(version)->bytes();
  for (;;) {
    const std::string_view name = path.substr(0, path.find('/'));
    const auto set = storage::decode_manifest(bytes);
    const auto found =
        std::ranges::find(set.components, name, &storage::ManifestComponent::name);
    if (found == set.components.end()) {
      throw Error(ErrorCode::not_found,
                  fmt::format("{} has no component '{}'", version.reference(), name));
    }
    auto inner = state_->blobs.find_manifest(version.namespace_id, found->digest);
    if (!inner) throw Error(ErrorCode::data_loss, "the manifest of a component is lost");
    bytes = std::move(*inner);
    if (name.size() == path.size()) return bytes;
    path.remove_prefix(name.size() + 1);
  }
}

std::shared_ptr<const VersionRecord> VersionService::yank(
    const Caller& caller, const ArtifactName& artifact, storage::ArtifactKind kind,
    const VersionRef& ref, const std::string& reason, PointingAliases aliases) {
  return state_->record_of(
      set_state(caller, artifact, kind, ref, VersionState::yanked, reason, aliases, {}));
}

std::shared_ptr<const VersionRecord> VersionService::restore(const Caller& caller,
                                                             const ArtifactName& artifact,
                                                             storage::ArtifactKind kind,
                                                             const VersionRef& ref,
                                                             const std::string& reason) {
  return state_->record_of(set_state(caller, artifact, kind, ref, VersionState::active,
                                     reason, PointingAliases::allow, {}));
}

void VersionService::remove(const Caller& caller, const ArtifactName& artifact,
                            storage::ArtifactKind kind, const VersionRef& ref,
                            const std::string& reason) {
  set_state(caller, artifact, kind, ref, VersionState::deleted, reason,
            PointingAliases::forbid, [&](schema::Transaction& tx, const Version& version) {
              refuse_if_needed(tx, caller, version);
            });
}

Version VersionService::set_state(const Caller& caller, const ArtifactName& artifact,
                                  storage::ArtifactKind kind, const VersionRef& ref,
                                  VersionState wanted, const std::string& reason,
                                  PointingAliases aliases, const Check& check) {
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
        Version changed = to_version(row, std::move(found));
        if (check) check(tx, changed);
        note(tx, caller,
             {.action = action_of(wanted),
              .subject = changed.reference(),
              .ns = changed.namespace_id,
              .reason = reason,
              .detail = {}});
        return changed;
      });
  state_->changes.announce(artifact_topic(version.artifact_id));
  return version;
}

}  // namespace mendel::registry
