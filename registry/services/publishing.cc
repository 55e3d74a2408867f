#include "registry/services/publishing.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>
#include <tuple>
#include <utility>

#include "registry/services/group_work.h"
#include "registry/services/jobs/attempt_fence.h"
#include "registry/services/source_patch.h"
#include "registry/services/triggers/events.h"
#include "registry/services/version_rows.h"
#include "schema/aliases.h"
#include "schema/changes.h"
#include "schema/checkpoints.h"
#include "schema/version_files.h"
#include "storage/base/error.h"

namespace mendel::registry {

namespace {

constexpr std::size_t kGroupMax = 64;  // versions of one transaction

std::string member(const std::string& object, const char* name) {
  if (object.empty()) return "";
  const auto json = nlohmann::json::parse(object);
  return json.value(name, "");
}

std::vector<schema::NewEdge> in_any_order(std::vector<schema::NewEdge> edges) {
  std::ranges::sort(edges, {}, [](const schema::NewEdge& edge) {
    return std::tie(edge.role, edge.name, edge.target_id, edge.uri);
  });
  return edges;
}

// What makes two versions the same: what they hold and what made them, not what is said of
// them.
bool is_same(schema::Transaction& tx, const schema::VersionRow& newest,
             const Digest& manifest, const std::optional<Digest>& hyperparameters,
             const std::string& source, const std::vector<schema::NewEdge>& edges) {
  return newest.digest == manifest && newest.hyperparameters_digest == hyperparameters &&
         member(newest.source, "commit") == member(source, "commit") &&
         member(newest.source, "patch") == member(source, "patch") &&
         in_any_order(schema::list_edges_of(tx, newest.id)) == in_any_order(edges);
}

// Whether what the edge leads to has its role already, perhaps under another name.
bool is_named(const std::vector<schema::NewEdge>& edges, const schema::NewEdge& edge) {
  return std::ranges::any_of(edges, [&](const schema::NewEdge& other) {
    return other.role == edge.role && other.target_id == edge.target_id &&
           other.uri == edge.uri;
  });
}

bool is_fault_of_a_request(ErrorCode code) {
  return code == ErrorCode::not_found || code == ErrorCode::unprocessable ||
         code == ErrorCode::already_exists || code == ErrorCode::permission_denied;
}

void move_aliases(schema::Transaction& tx, const Caller& caller,
                  const schema::ArtifactRow& artifact,
                  const std::vector<AliasName>& aliases, const schema::VersionRow& version,
                  Timestamp now) {
  for (const AliasName& alias : aliases) {
    const auto current = schema::find_alias(tx, version.artifact_id, alias.folded());
    if (current && current->version == version.number) continue;
    schema::insert_alias_move(tx, {.artifact_id = version.artifact_id,
                                   .name = alias.text(),
                                   .folded_name = alias.folded(),
                                   .version_id = version.id,
                                   .moved_at = now,
                                   .moved_by = caller.name,
                                   .reason = "published"});
    record_alias_move(
        tx, caller,
        {.artifact = ArtifactName::parse(artifact.namespace_name, artifact.name),
         .ns = artifact.namespace_id,
         .alias = alias,
         .number = version.number,
         .previous = current ? current->version : std::nullopt});
  }
}

// From now on no keep rule drops it.
void pin(schema::Transaction& tx,
         const PublishingService::Request::FromCheckpoint& checkpoint) {
  if (schema::pin_checkpoint(tx, checkpoint.run_id, checkpoint.step)) return;
  throw Error(ErrorCode::already_exists,
              fmt::format("/checkpoint: the run's keep rule has dropped step {} meanwhile",
                          checkpoint.step));
}

}  // namespace

// What one thread wants to publish, and what became of it.
struct PublishingService::Pending {
  const Caller& caller;
  const Request& request;
  const ManifestService::Stored manifest;
  const std::optional<Digest> hyperparameters;
  const std::vector<schema::NewEdge> edges;  // components too
  Made made{};
  std::optional<Error> failure{};  // its own, not its group's
};

// An artifact that is locked, and its newest version, while versions are added.
struct PublishingService::Artifact {
  schema::ArtifactRow row;
  std::optional<schema::VersionRow> newest;
  bool was_touched = false;
};

struct PublishingService::Groups {
  GroupWork<std::pair<NamespaceId, std::string>, Pending> by_artifact;
};

PublishingService::PublishingService(schema::Database& database, ChangeFeed& changes,
                                     BlobService& blobs, InputService& inputs,
                                     ManifestService& manifests, VersionService& versions,
                                     const Clock& clock)
    : database_(database),
      changes_(changes),
      blobs_(blobs),
      inputs_(inputs),
      manifests_(manifests),
      versions_(versions),
      clock_(clock),
      groups_(std::make_unique<Groups>()) {}
PublishingService::~PublishingService() = default;

ManifestService::Stored PublishingService::store_manifest(const Caller& caller,
                                                          NamespaceId ns,
                                                          const Request& request) {
  if (request.manifest) {
    return manifests_.store(caller, ns, *request.manifest, request.components);
  }
  return manifests_.adopt(caller, ns, request.kind, *request.manifest_digest);
}

PublishingService::Outcome PublishingService::publish(const Caller& caller, NamespaceId ns,
                                                      const Request& request) {
  std::optional<Digest> hyperparameters;
  if (request.hyperparameters) hyperparameters = Digest::of(*request.hyperparameters);
  require_patch(blobs_, ns, request.source);
  auto edges = inputs_.freeze_inputs(caller, request.inputs);
  for (const schema::NewEdge& edge : request.frozen_inputs) {
    if (!is_named(edges, edge)) edges.push_back(edge);
  }
  auto manifest = store_manifest(caller, ns, request);
  edges.insert(edges.end(), manifest.components.begin(), manifest.components.end());
  Pending mine{caller, request, std::move(manifest), hyperparameters, std::move(edges)};

  groups_->by_artifact.join(
      {ns, request.artifact.name().folded()}, mine,
      [](std::span<Pending* const> group, const Pending&) {
        return group.size() < kGroupMax;
      },
      [&](std::span<Pending* const> group) { publish_group(ns, group); });
  if (mine.failure) throw Error(*mine.failure);
  return {versions_.get(request.artifact, request.kind, VersionRef(mine.made.number)),
          mine.made.created};
}

// Where one of them cannot be published, none of the transaction is: then each is tried by
// itself, so that the others do not suffer. Not so where the commit may have happened.
void PublishingService::publish_group(NamespaceId ns, std::span<Pending* const> group) {
  try {
    return publish_together(ns, group);
  } catch (const Error& error) {
    if (group.size() == 1 || !is_fault_of_a_request(error.code())) throw;
  }
  for (Pending* const pending : group) {
    try {
      publish_together(ns, {&pending, 1});
    } catch (const Error& error) {
      pending->failure = error;
    }
  }
}

void PublishingService::publish_together(NamespaceId ns, std::span<Pending* const> group) {
  const ArtifactId id =
      database_.transact("publish versions", [&](schema::Transaction& tx) {
        const Timestamp now = clock_.now();
        const Request& first = group.front()->request;
        Artifact artifact{
            .row = schema::lock_or_insert_artifact(
                tx, ns, first.artifact.name().text(), first.artifact.name().folded(),
                std::string(storage::to_string(first.kind)), now),
            .newest = std::nullopt};
        artifact.newest =
            schema::find_version(tx, artifact.row.id, artifact.row.newest_number);
        for (Pending* const pending : group) publish_one(tx, artifact, *pending, now);
        if (artifact.was_touched) {
          schema::touch_artifact(tx, artifact.row.id, artifact.row.newest_number, now);
          schema::record_change(tx, artifact_topic(artifact.row.id));
        }
        return artifact.row.id;
      });
  changes_.announce(artifact_topic(id));
  changes_.announce(kEventsTopic);
}

void PublishingService::publish_one(schema::Transaction& tx, Artifact& artifact,
                                    Pending& pending, Timestamp now) {
  const Caller& caller = pending.caller;
  const Request& request = pending.request;
  const ManifestService::Stored& manifest = pending.manifest;
  const std::optional<Digest>& hyperparameters = pending.hyperparameters;
  require_kind(artifact.row, request.kind);
  if (const auto earlier = find_earlier(tx, caller, request)) {
    pending.made = *earlier;
    return;
  }
  const bool takes_effect =
      require_effect(tx, caller, {request.artifact, request.kind, request.aliases});

  const std::string source = request.source.value_or("");
  auto& newest = artifact.newest;
  const bool same = newest && is_same(tx, *newest, manifest.digest, hyperparameters, source,
                                      pending.edges);
  if (!same) {
    hold_targets(tx, pending.edges);
    if (hyperparameters) {
      schema::insert_hyperparameters_if_absent(tx, artifact.row.namespace_id,
                                               *hyperparameters, *request.hyperparameters);
    }
    const bool has_the_same_files = newest && newest->digest == manifest.digest;
    newest.emplace();
    newest->artifact_id = artifact.row.id;
    newest->number = ++artifact.row.newest_number;
    newest->digest = manifest.digest;
    newest->hyperparameters_digest = hyperparameters;
    newest->source = source;
    newest->id = schema::insert_version(
        tx, {.artifact_id = artifact.row.id,
             .number = newest->number,
             .digest = manifest.digest,
             .size_bytes = static_cast<std::int64_t>(manifest.size_bytes),
             .file_count = static_cast<std::int64_t>(manifest.file_count),
             .created_at = now,
             .created_by = caller.name,
             .message = request.message,
             .labels = nlohmann::json(request.labels).dump(),
             .metrics = request.metrics,
             .hyperparameters_digest = hyperparameters,
             .source = request.source,
             .run = request.run});
    schema::insert_edges(tx, newest->id, pending.edges);
    if (!has_the_same_files) {
      schema::record_version_files(tx, artifact.row.id, newest->number, manifest.files);
    }
    record_new_version(
        tx, caller,
        {.artifact = ArtifactName::parse(artifact.row.namespace_name, artifact.row.name),
         .ns = artifact.row.namespace_id,
         .kind = artifact.row.kind,
         .number = newest->number,
         .digest = manifest.digest.to_string(),
         .labels = nlohmann::json(request.labels).dump()});
  }
  if (takes_effect) record_effect(tx, caller, newest->id);
  if (request.from_checkpoint) pin(tx, *request.from_checkpoint);
  move_aliases(tx, caller, artifact.row, request.aliases, *newest, now);
  artifact.was_touched = true;
  pending.made = {newest->number, !same};
  if (request.idempotency) {
    schema::insert_publish_key(
        tx, *caller.principal, request.idempotency->key,
        {request.idempotency->request, newest->id, pending.made.created}, now);
  }
}

// What this key made before. The artifact's lock makes a repetition that runs at the same
// time wait; a key is of one principal, so one artifact's lock is enough unless the same
// key is used for two artifacts at once, which the table's constraint refuses.
std::optional<PublishingService::Made> PublishingService::find_earlier(
    schema::Transaction& tx, const Caller& caller, const Request& request) {
  if (!request.idempotency) return std::nullopt;
  const auto earlier =
      schema::find_publish_key(tx, *caller.principal, request.idempotency->key);
  if (!earlier) return std::nullopt;
  if (earlier->request_digest != request.idempotency->request) {
    throw Error(ErrorCode::unprocessable,
                "this Idempotency-Key was used with another request before");
  }
  const auto version = schema::find_version_by_id(tx, earlier->version_id);
  if (!version) {
    throw Error(ErrorCode::not_found,
                "the version that this Idempotency-Key made was deleted");
  }
  return Made{version->number, earlier->created};
}

}  // namespace mendel::registry
