// Points wait in blocks until there are enough of them to make segments worth while, or
// until the run has ended: segments are per metric, and many small ones would be slower to
// read than the blocks.

#include "registry/services/metric_folding.h"

#include <algorithm>
#include <map>
#include <vector>

#include "registry/services/metric_sums.h"

namespace mendel::registry {

namespace {

constexpr std::int64_t kFoldedPointsMax = 128 * 1024;  // in one transaction

// When blocks become segments, and how large these are.
constexpr std::int64_t kWaitingPointsMax = 64 * 1024;
constexpr std::int64_t kWaitingBlocksMax = 1024;
constexpr std::size_t kSegmentPointsMax = 2048;

// A segment's number is that of the first block that it was made of, and a position.
constexpr std::int64_t kSegmentsPerBlockMax = 1 << 20;

std::vector<MetricPoint> points_of(const std::vector<schema::MetricBlockRow>& blocks) {
  std::vector<MetricPoint> points;
  for (const auto& block : blocks) {
    const auto more = decode_points(block);
    points.insert(points.end(), more.begin(), more.end());
  }
  return points;
}

void add_to_sums(schema::Transaction& tx, RunId run,
                 const std::vector<MetricPoint>& points) {
  std::vector<std::int32_t> name_ids;
  name_ids.reserve(points.size());
  for (const MetricPoint& point : points) name_ids.push_back(point.name_id);
  std::ranges::sort(name_ids);
  name_ids.erase(std::unique(name_ids.begin(), name_ids.end()), name_ids.end());

  auto rows = schema::find_run_metrics(tx, run, name_ids);
  std::map<std::int32_t, MetricSums> sums;
  for (const auto& row : rows) sums.emplace(row.name_id, sums_of(row));
  for (const MetricPoint& point : points) sums[point.name_id].add(point);
  for (auto& row : rows) set_sums(row, sums[row.name_id]);
  schema::update_run_metrics(tx, run, rows);
}

// Folds the next blocks into the sums.
void fold_blocks(schema::Transaction& tx, schema::MetricLogRow& log) {
  const auto blocks = schema::list_metric_blocks(tx, log.run_id, log.folded_count,
                                                 log.block_count, kFoldedPointsMax);
  if (blocks.empty()) return;
  add_to_sums(tx, log.run_id, points_of(blocks));
  log.folded_count = blocks.back().number + 1;
}

std::vector<schema::MetricSegmentRow> segments_of(std::vector<MetricPoint> points,
                                                  std::int64_t first_block) {
  std::ranges::stable_sort(points, [](const MetricPoint& a, const MetricPoint& b) {
    return std::pair(a.name_id, a.step) < std::pair(b.name_id, b.step);
  });
  std::vector<schema::MetricSegmentRow> segments;
  for (std::size_t begin = 0; begin < points.size();) {
    std::size_t end = begin + 1;
    while (end < points.size() && end - begin < kSegmentPointsMax &&
           points[end].name_id == points[begin].name_id) {
      ++end;
    }
    segments.push_back(
        {.name_id = points[begin].name_id,
         .number = first_block * kSegmentsPerBlockMax +
                   static_cast<std::int64_t>(segments.size()),
         .first_step = points[begin].step,
         .last_step = points[end - 1].step,
         .point_count = static_cast<std::int32_t>(end - begin),
         .points = encode_points(std::span(points).subspan(begin, end - begin))});
    begin = end;
  }
  return segments;
}

bool is_compaction_due(const schema::MetricLogRow& log) {
  const bool has_blocks = log.compacted_count < log.folded_count;
  return has_blocks &&
         (log.closed || log.folded_count - log.compacted_count >= kWaitingBlocksMax ||
          log.point_count - log.compacted_points >= kWaitingPointsMax);
}

void compact_blocks(schema::Transaction& tx, schema::MetricLogRow& log) {
  const auto blocks = schema::list_metric_blocks(tx, log.run_id, log.compacted_count,
                                                 log.folded_count, kFoldedPointsMax);
  if (blocks.empty()) return;
  const std::int64_t end = blocks.back().number + 1;
  auto points = points_of(blocks);
  log.compacted_points += static_cast<std::int64_t>(points.size());
  schema::insert_metric_segments(tx, log.run_id,
                                 segments_of(std::move(points), log.compacted_count));
  schema::delete_metric_blocks(tx, log.run_id, log.compacted_count, end);
  log.compacted_count = end;
}

}  // namespace

// Returns whether there was something to do, and may be more. The log's row is updated
// last, since those who bring metrics wait for it.
bool MetricFolding::fold_some(RunId run, Lock lock) {
  return database_.transact("fold a run's metrics", [&](schema::Transaction& tx) {
    if (lock == Lock::wait) {
      schema::lock_metric_folding(tx, run);
    } else if (!schema::try_lock_metric_folding(tx, run)) {
      return false;
    }
    auto log = get_metric_log(tx, run);
    if (log.settled) return false;
    fold_blocks(tx, log);
    if (is_compaction_due(log)) compact_blocks(tx, log);
    log.settled = log.closed && log.compacted_count == log.block_count;
    schema::update_metric_log(tx, log);
    return !log.settled && (log.folded_count < log.block_count || is_compaction_due(log));
  });
}

std::vector<RunId> MetricFolding::list_unfolded(RunId after, std::size_t limit) {
  return database_.read("list unfolded runs", [&](schema::Transaction& tx) {
    return schema::list_unfolded_runs(tx, after, static_cast<std::int64_t>(limit));
  });
}

void MetricFolding::fold(RunId run) {
  while (fold_some(run, Lock::try_it)) {
  }
}

void MetricFolding::settle(RunId run) {
  while (fold_some(run, Lock::wait)) {
  }
}

}  // namespace mendel::registry
