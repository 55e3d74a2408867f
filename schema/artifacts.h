#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "schema/access.h"
#include "schema/database.h"
#include "storage/base/clock.h"

namespace mendel::schema {

struct ArtifactRow {
  std::int64_t id = 0;
  std::int64_t namespace_id = 0;
  std::string namespace_name;
  std::string name;
  std::string kind;
  std::string description;
  std::int32_t newest_number = 0;
  Timestamp created_at;
  Timestamp changed_at;
};

// Makes the artifact unless it is there, and in both cases locks its row until the
// transaction ends: versions are numbered, and aliases moved, one at a time. The kind that
// comes back is the stored one.
ArtifactRow lock_or_insert_artifact(Transaction& tx, std::int64_t namespace_id,
                                    const std::string& name, const std::string& folded_name,
                                    const std::string& kind, Timestamp now);

// nullopt: there is none of that name.
std::optional<ArtifactRow> lock_artifact(Transaction& tx, std::int64_t namespace_id,
                                         const std::string& folded_name);
ArtifactRow lock_artifact_by_id(Transaction& tx, std::int64_t id);
std::optional<ArtifactRow> find_artifact(Transaction& tx,
                                         const std::string& folded_namespace,
                                         const std::string& folded_name);

void touch_artifact(Transaction& tx, std::int64_t id, std::int32_t newest_number,
                    Timestamp now);
void update_artifact_description(Transaction& tx, std::int64_t id,
                                 const std::string& description, Timestamp now);

struct ArtifactFilter {
  std::string kind;
  std::optional<std::string> folded_namespace;
  std::string text;  // part of the name or description; empty: all
};

struct ArtifactPosition {
  Timestamp changed_at;
  std::int64_t id = 0;
};

struct ListedArtifact : ArtifactRow {
  std::string aliases;  // JSON object: the number that each points at
};

// Of the namespaces that the viewer sees, newest change first, after a position.
std::vector<ListedArtifact> list_artifacts(Transaction& tx, const NamespaceViewer& viewer,
                                           const ArtifactFilter& filter,
                                           const std::optional<ArtifactPosition>& after,
                                           std::int64_t limit);

struct ArtifactCounts {
  std::int64_t versions = 0;
  std::int64_t yanked = 0;
  std::optional<std::int32_t> latest;  // the newest version that is not yanked
};
ArtifactCounts count_versions(Transaction& tx, std::int64_t artifact_id);

}  // namespace mendel::schema
