#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "schema/database.h"
#include "storage/base/clock.h"
#include "storage/base/digest.h"

namespace mendel::schema {

// Checkpoints of runs. Who changes those of a run has locked the run.

struct CheckpointRow {
  std::int64_t step = 0;
  Digest digest;
  std::string kind;
  std::int64_t size_bytes = 0;
  std::int64_t file_count = 0;
  std::string metrics;  // JSON object
  std::string state;    // kept or dropped
  bool published = false;
  Timestamp created_at;
  std::string created_by;
};

struct RunOfNamespace {
  std::int64_t run_id = 0;
  std::int64_t namespace_id = 0;
};
void insert_checkpoint(Transaction& tx, const RunOfNamespace& run,
                       const CheckpointRow& checkpoint);

std::optional<CheckpointRow> find_checkpoint(Transaction& tx, std::int64_t run_id,
                                             std::int64_t step);

// The highest step first, those with steps below before.
std::vector<CheckpointRow> list_checkpoints(Transaction& tx, std::int64_t run_id,
                                            std::optional<std::int64_t> before,
                                            std::int64_t limit);

// All that were not dropped, the lowest step first.
std::vector<CheckpointRow> list_kept_checkpoints(Transaction& tx, std::int64_t run_id);

void drop_checkpoints(Transaction& tx, std::int64_t run_id,
                      std::span<const std::int64_t> steps);

// A version is made from it, so that no rule drops it. Whether it was still kept.
bool pin_checkpoint(Transaction& tx, std::int64_t run_id, std::int64_t step);

// Manifests of dropped checkpoints that no kept checkpoint and no version needs, with
// digests above after: what a collection of garbage may take away.
std::vector<Digest> list_dropped_manifests(Transaction& tx, std::int64_t ns,
                                           const std::optional<Digest>& after,
                                           std::int64_t limit);

}  // namespace mendel::schema
