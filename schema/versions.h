#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "schema/database.h"
#include "storage/base/clock.h"
#include "storage/base/digest.h"

namespace mendel::schema {

struct VersionRow {
  std::int64_t id = 0;
  std::int64_t artifact_id = 0;
  std::int32_t number = 0;
  Digest digest;
  std::int64_t size_bytes = 0;
  std::int64_t file_count = 0;
  std::string state;
  std::string state_reason;
  Timestamp created_at;
  std::string created_by;
  std::string message;
  std::string labels;   // JSON object
  std::string metrics;  // JSON object
  std::optional<Digest> hyperparameters_digest;
  std::string hyperparameters;  // canonical JSON; empty without
  std::string source;           // JSON object; empty without
  std::string run;              // UUID; empty without
  std::string job;              // UUID; empty without
  std::vector<std::string> aliases;
  std::string edges;  // JSON list of role, name and ref or uri, with a digest; or empty
};

// None of these finds a deleted version.
std::optional<VersionRow> find_version(Transaction& tx, std::int64_t artifact_id,
                                       std::int32_t number);
std::optional<VersionRow> find_version_by_alias(Transaction& tx, std::int64_t artifact_id,
                                                const std::string& folded_alias);

// The newest active version with this digest; where all are yanked, the newest of them.
std::optional<VersionRow> find_version_by_digest(Transaction& tx, std::int64_t artifact_id,
                                                 const Digest& digest);

// The newest version that is not yanked.
std::optional<VersionRow> find_latest_version(Transaction& tx, std::int64_t artifact_id);
std::optional<VersionRow> find_version_by_id(Transaction& tx, std::int64_t version_id);

// Newest first, those with numbers below before.
std::vector<VersionRow> list_versions(Transaction& tx, std::int64_t artifact_id,
                                      std::int32_t before, std::int64_t limit);

struct NewVersion {
  std::int64_t artifact_id = 0;
  std::int32_t number = 0;
  Digest digest;
  std::int64_t size_bytes = 0;
  std::int64_t file_count = 0;
  Timestamp created_at;
  std::string created_by;
  std::string message;
  std::string labels;
  std::string metrics;
  std::optional<Digest> hyperparameters_digest;
  std::optional<std::string> source;
  std::optional<std::string> run;
};
std::int64_t insert_version(Transaction& tx, const NewVersion& version);

// For something in this namespace.
void insert_hyperparameters_if_absent(Transaction& tx, std::int64_t namespace_id,
                                      const Digest& digest, const std::string& canonical);

void update_version_state(Transaction& tx, std::int64_t version_id,
                          const std::string& state, const std::string& reason);

// What a key of this principal has made already.
struct PublishKeyRow {
  Digest request_digest;
  std::int64_t version_id = 0;
  bool created = false;
};
std::optional<PublishKeyRow> find_publish_key(Transaction& tx, std::int64_t principal_id,
                                              const std::string& key);
void insert_publish_key(Transaction& tx, std::int64_t principal_id, const std::string& key,
                        const PublishKeyRow& row, Timestamp now);
void delete_publish_keys_before(Transaction& tx, Timestamp time);

}  // namespace mendel::schema
