#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "schema/access.h"
#include "schema/database.h"
#include "storage/base/clock.h"

namespace mendel::schema {

struct PipelineRow {
  std::int64_t id = 0;
  std::int64_t namespace_id = 0;
  std::string namespace_name;
  std::string name;
  std::string specification;  // canonical JSON
  std::int32_t revision = 0;
  std::optional<std::int32_t> concurrency;
  std::optional<std::int32_t> per_day;
  std::int64_t owner_id = 0;
  std::string owner;
  bool owner_is_admin = false;
  std::optional<std::int64_t> owner_namespace;
  Timestamp created_at;
  std::string created_by;
  Timestamp updated_at;
  std::string updated_by;

  std::string full_name() const { return namespace_name + "/" + name; }
};

struct PipelineEdit {
  std::string specification;
  std::optional<std::int32_t> concurrency;
  std::optional<std::int32_t> per_day;
  std::int64_t owner_id = 0;
  std::optional<std::int64_t> owner_namespace;
  Timestamp at;
  std::string by;
};

std::optional<PipelineRow> find_pipeline(Transaction& tx,
                                         const std::string& folded_namespace,
                                         const std::string& folded_name);
std::optional<PipelineRow> find_pipeline_by_id(Transaction& tx, std::int64_t id);

// Jobs of a pipeline are made and admitted one transaction at a time, and while nobody
// changes it: by who holds this lock.
std::optional<PipelineRow> lock_pipeline(Transaction& tx, std::int64_t id);

// nullopt: the name is taken.
std::optional<std::int64_t> insert_pipeline(Transaction& tx, std::int64_t namespace_id,
                                            const std::string& name,
                                            const PipelineEdit& edit);

// The next revision of it.
void update_pipeline(Transaction& tx, std::int64_t id, const PipelineEdit& edit);

// Who its jobs act for, where nothing else changed.
void update_pipeline_owner(Transaction& tx, std::int64_t id, const PipelineEdit& edit);
void delete_pipeline(Transaction& tx, std::int64_t id);

// Newest first, those with ids below before.
std::vector<PipelineRow> list_pipelines(Transaction& tx, const NamespaceViewer& viewer,
                                        const std::optional<std::string>& folded_namespace,
                                        std::optional<std::int64_t> before,
                                        std::int64_t limit);

// Jobs of it that have not ended.
std::int64_t count_live_jobs(Transaction& tx, std::int64_t pipeline_id);

}  // namespace mendel::schema
