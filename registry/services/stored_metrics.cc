#include "registry/services/stored_metrics.h"

#include <string>

#include "storage/base/error.h"

namespace mendel::registry {

namespace {

constexpr std::int64_t kPointsReadMax = 64 * 1024;
constexpr std::int64_t kSegmentsReadMax = 16;

std::vector<MetricPoint> decode(std::span<const std::byte> bytes, std::int32_t count) {
  std::vector<MetricPoint> points = decode_points(bytes);
  if (points.size() != static_cast<std::size_t>(count)) {
    throw Error(ErrorCode::data_loss, "stored metrics are damaged: points are missing");
  }
  return points;
}

bool includes(schema::StepRange steps, std::int64_t step) {
  return steps.first <= step && step <= steps.last;
}

}  // namespace

std::vector<MetricPoint> decode_points(const schema::MetricBlockRow& block) {
  return decode(block.points, block.point_count);
}

std::vector<MetricPoint> decode_points(const schema::MetricSegmentRow& segment) {
  return decode(segment.points, segment.point_count);
}

schema::MetricLogRow get_metric_log(schema::Transaction& tx, RunId run) {
  auto log = schema::find_metric_log(tx, run);
  if (!log) {
    throw Error(ErrorCode::internal, "run " + std::to_string(run) + " has no metric_log");
  }
  return *log;
}

void visit_segments(schema::Transaction& tx, const schema::MetricLogRow& log,
                    std::int32_t name_id, schema::StepRange steps,
                    const VisitPoints& visit) {
  std::int64_t after = -1;
  for (bool more = true; more;) {
    const auto segments = schema::list_metric_segments(tx, log.run_id, name_id, steps,
                                                       after, kSegmentsReadMax);
    for (const auto& segment : segments) {
      auto points = decode_points(segment);
      std::erase_if(points, [&](const auto& p) { return !includes(steps, p.step); });
      visit(points);
      after = segment.number;
    }
    more = segments.size() == kSegmentsReadMax;
  }
}

void visit_points(schema::Transaction& tx, const schema::MetricLogRow& log,
                  std::int32_t name_id, schema::StepRange steps, const VisitPoints& visit) {
  visit_segments(tx, log, name_id, steps, visit);
  std::vector<MetricPoint> mine;
  visit_blocks(tx, log, log.compacted_count, [&](std::span<const MetricPoint> points) {
    mine.clear();
    for (const MetricPoint& point : points) {
      if (point.name_id == name_id && includes(steps, point.step)) mine.push_back(point);
    }
    visit(mine);
  });
}

void visit_blocks(schema::Transaction& tx, const schema::MetricLogRow& log,
                  std::int64_t first, const VisitPoints& visit) {
  while (first < log.block_count) {
    const auto blocks =
        schema::list_metric_blocks(tx, log.run_id, first, log.block_count, kPointsReadMax);
    if (blocks.empty() || blocks.front().number != first) {
      throw Error(ErrorCode::data_loss, "metric blocks of a run are missing");
    }
    for (const auto& block : blocks) visit(decode_points(block));
    first = blocks.back().number + 1;
  }
}

}  // namespace mendel::registry
