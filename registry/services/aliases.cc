#include "registry/services/aliases.h"

#include <fmt/format.h>

#include <limits>
#include <utility>

#include "registry/services/triggers/events.h"
#include "registry/services/version_rows.h"
#include "schema/changes.h"
#include "storage/base/error.h"

namespace mendel::registry {

namespace {

Error no_alias(const ArtifactName& artifact, const AliasName& alias) {
  return {ErrorCode::not_found,
          fmt::format("{} has no alias {}", artifact.text(), alias.text())};
}

}  // namespace

AliasService::AliasService(schema::Database& database, ChangeFeed& changes,
                           const Clock& clock)
    : database_(database), changes_(changes), clock_(clock) {}

AliasService::Move AliasService::get(const ArtifactName& artifact,
                                     storage::ArtifactKind kind, const AliasName& alias) {
  auto found = database_.read("find an alias", [&](schema::Transaction& tx) {
    return schema::find_alias(tx, get_artifact(tx, artifact, kind).id, alias.folded());
  });
  if (!found) throw no_alias(artifact, alias);
  return std::move(*found);
}

AliasService::Move AliasService::get_at(const ArtifactName& artifact,
                                        storage::ArtifactKind kind, const AliasName& alias,
                                        Timestamp time) {
  if (time > clock_.now()) {
    throw Error(ErrorCode::invalid_argument, "at must not lie in the future");
  }
  auto found = database_.read("find an alias at a time", [&](schema::Transaction& tx) {
    const ArtifactId id = get_artifact(tx, artifact, kind).id;
    return schema::find_alias_move_at(tx, id, alias.folded(), time);
  });
  if (!found || !found->version) {
    throw Error(ErrorCode::not_found,
                fmt::format("{} had no alias {} at {}", artifact.text(), alias.text(),
                            format_rfc3339(time)));
  }
  return std::move(*found);
}

std::vector<AliasService::Move> AliasService::history(const ArtifactName& artifact,
                                                      storage::ArtifactKind kind,
                                                      const AliasName& alias,
                                                      std::optional<std::int32_t> before,
                                                      std::size_t limit) {
  auto moves = database_.read("list the moves of an alias", [&](schema::Transaction& tx) {
    const ArtifactId id = get_artifact(tx, artifact, kind).id;
    return schema::list_alias_moves(
        tx, id, alias.folded(), before.value_or(std::numeric_limits<std::int32_t>::max()),
        static_cast<std::int64_t>(limit));
  });
  if (moves.empty() && !before) throw no_alias(artifact, alias);
  return moves;
}

AliasService::Move AliasService::set(const Caller& caller, NamespaceId ns,
                                     const ArtifactName& artifact,
                                     storage::ArtifactKind kind, const AliasName& alias,
                                     VersionNumber version, const std::string& reason,
                                     const Guard& guard) {
  ArtifactId id = 0;
  auto move = database_.transact("move an alias", [&](schema::Transaction& tx) {
    id = lock_artifact(tx, ns, artifact, kind).id;
    const auto current = schema::find_alias(tx, id, alias.folded());
    guard(current);
    const auto target = schema::find_version(tx, id, version);
    if (!target) {
      throw Error(ErrorCode::unprocessable,
                  fmt::format("{} has no version {}", artifact.text(), version),
                  {{"/version", "there is no such version"}});
    }
    if (current && current->version == version) return *current;
    if (target->state == to_string(VersionState::yanked)) {
      throw Error(
          ErrorCode::already_exists,
          fmt::format("{}:{} is yanked: restore it first", artifact.text(), version));
    }
    schema::insert_alias_move(tx, {.artifact_id = id,
                                   .name = alias.text(),
                                   .folded_name = alias.folded(),
                                   .version_id = target->id,
                                   .moved_at = clock_.now(),
                                   .moved_by = caller.name,
                                   .reason = reason});
    record_alias_move(tx, caller,
                      {.artifact = artifact,
                       .ns = ns,
                       .alias = alias,
                       .number = version,
                       .previous = current ? current->version : std::nullopt});
    schema::record_change(tx, artifact_topic(id));
    return *schema::find_alias(tx, id, alias.folded());
  });
  changes_.announce(artifact_topic(id));
  changes_.announce(kEventsTopic);
  return move;
}

void AliasService::remove(const Caller& caller, NamespaceId ns,
                          const ArtifactName& artifact, storage::ArtifactKind kind,
                          const AliasName& alias, const std::string& reason,
                          const Guard& guard) {
  ArtifactId id = 0;
  database_.transact("remove an alias", [&](schema::Transaction& tx) {
    id = lock_artifact(tx, ns, artifact, kind).id;
    const auto current = schema::find_alias(tx, id, alias.folded());
    guard(current);
    if (!current) throw no_alias(artifact, alias);
    schema::insert_alias_move(tx, {.artifact_id = id,
                                   .name = current->alias,
                                   .folded_name = alias.folded(),
                                   .version_id = std::nullopt,
                                   .moved_at = clock_.now(),
                                   .moved_by = caller.name,
                                   .reason = reason});
    schema::record_change(tx, artifact_topic(id));
  });
  changes_.announce(artifact_topic(id));
}

}  // namespace mendel::registry
