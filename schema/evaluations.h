#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schema/database.h"
#include "storage/base/clock.h"
#include "storage/base/digest.h"

namespace mendel::schema {

// Metrics of versions that were measured later. Rows are added, never changed.

struct NewEvaluation {
  std::string uuid;
  std::int64_t version_id = 0;
  std::optional<std::int64_t> dataset_version_id;
  Digest request_digest;
  std::string metrics;  // JSON object
  std::string labels;   // JSON object
  Timestamp measured_at;
  Timestamp recorded_at;
  std::string recorded_by;
};

// Whether it is new: false where there is one of this UUID.
bool insert_evaluation(Transaction& tx, const NewEvaluation& evaluation);

struct EvaluationRow : NewEvaluation {
  std::int64_t id = 0;
  std::int64_t dataset_namespace_id = 0;
  std::string dataset;  // "lhcb/valid-2018:2"; empty without
  std::optional<Digest> dataset_digest;
};
std::optional<EvaluationRow> find_evaluation(Transaction& tx, std::string_view uuid);

// Newest first, those with ids below before.
std::vector<EvaluationRow> list_evaluations(Transaction& tx, std::int64_t version_id,
                                            std::optional<std::int64_t> before,
                                            std::int64_t limit);

}  // namespace mendel::schema
