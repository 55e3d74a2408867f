#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "schema/database.h"
#include "storage/base/clock.h"

namespace mendel::schema {

// Metrics of runs: blocks of packed points as they came, segments of one metric each, and
// sums. What the points' bytes mean is not known here.

struct MetricLogRow {
  std::int64_t run_id = 0;
  std::int64_t namespace_id = 0;
  std::int64_t block_count = 0;
  std::int64_t point_count = 0;
  std::int32_t name_count = 0;
  std::int64_t folded_count = 0;
  std::int64_t compacted_count = 0;
  std::int64_t compacted_points = 0;
  bool closed = false;
  bool settled = false;
};
std::optional<MetricLogRow> find_metric_log(Transaction& tx, std::int64_t run_id);

// No block is taken any more.
void close_metric_log(Transaction& tx, std::int64_t run_id);

struct NewMetricBlock {
  std::int64_t run_id = 0;
  std::int64_t number = 0;      // which must be the run's next
  std::int32_t name_count = 0;  // of the run, from now on
  std::int32_t point_count = 0;
  std::vector<std::byte> points;
};
// One block for each of several runs. Those runs that took theirs: the others were closed,
// or somebody else has added a block.
std::vector<std::int64_t> append_metric_blocks(Transaction& tx,
                                               std::span<const NewMetricBlock> blocks);

struct NewRunMetric {
  std::int64_t run_id = 0;
  std::int64_t namespace_id = 0;
  std::int32_t name_id = 0;
  std::string name;
};
void insert_run_metrics(Transaction& tx, std::span<const NewRunMetric> metrics);

struct MetricBlockRow {
  std::int64_t number = 0;
  std::int32_t point_count = 0;
  std::vector<std::byte> points;
};
// In order, from number first on, below end: as many as hold points_max points, and one at
// least.
std::vector<MetricBlockRow> list_metric_blocks(Transaction& tx, std::int64_t run_id,
                                               std::int64_t first, std::int64_t end,
                                               std::int64_t points_max);
void delete_metric_blocks(Transaction& tx, std::int64_t run_id, std::int64_t first,
                          std::int64_t end);

struct MetricSegmentRow {
  std::int32_t name_id = 0;
  std::int64_t number = 0;
  std::int64_t first_step = 0;
  std::int64_t last_step = 0;
  std::int32_t point_count = 0;
  std::vector<std::byte> points;
};
void insert_metric_segments(Transaction& tx, std::int64_t run_id,
                            std::span<const MetricSegmentRow> segments);

// Those of one metric that overlap with the steps, in order, numbers above after.
struct StepRange {
  std::int64_t first = 0;
  std::int64_t last = 0;
};
std::vector<MetricSegmentRow> list_metric_segments(Transaction& tx, std::int64_t run_id,
                                                   std::int32_t name_id, StepRange steps,
                                                   std::int64_t after, std::int64_t limit);

// The lowest and the highest step in the segments of a metric.
std::optional<StepRange> find_metric_steps(Transaction& tx, std::int64_t run_id,
                                           std::int32_t name_id);

// One point that is remembered in a sum.
struct MetricPointRow {
  std::int64_t step = 0;
  double value = 0;
  Timestamp time;
};
struct RunMetricRow {
  std::int32_t name_id = 0;
  std::string name;
  std::int64_t point_count = 0;
  std::optional<MetricPointRow> last;
  std::optional<MetricPointRow> min;
  std::optional<MetricPointRow> max;
};
// All, by name_id; those with these names or ids.
std::vector<RunMetricRow> list_run_metrics(Transaction& tx, std::int64_t run_id);
std::optional<RunMetricRow> find_run_metric(Transaction& tx, std::int64_t run_id,
                                            const std::string& name);
std::vector<RunMetricRow> find_run_metrics(Transaction& tx, std::int64_t run_id,
                                           std::span<const std::int32_t> name_ids);
void update_run_metrics(Transaction& tx, std::int64_t run_id,
                        std::span<const RunMetricRow> metrics);

// --- The background ---------------------------------------------------------------------

// Whether this transaction is now the one that folds and compacts the run's metrics, up to
// its end. The other waits until it is.
bool try_lock_metric_folding(Transaction& tx, std::int64_t run_id);
void lock_metric_folding(Transaction& tx, std::int64_t run_id);

void update_metric_log(Transaction& tx, const MetricLogRow& progress);

// Runs that have something to fold, or are closed and not settled, with ids above after.
std::vector<std::int64_t> list_unfolded_runs(Transaction& tx, std::int64_t after,
                                             std::int64_t limit);

}  // namespace mendel::schema
