#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "registry/services/metric_points.h"
#include "schema/metrics.h"

namespace mendel::registry {

using RunId = std::int64_t;  // of the row

// Reads the points of a run, in the order in which they were recorded and a bounded number
// at a time. A transaction that reads more than once is one of Database::read.
using VisitPoints = std::function<void(std::span<const MetricPoint>)>;

// Of one metric, with these steps; visit_segments() leaves out what is still in blocks.
void visit_segments(schema::Transaction& tx, const schema::MetricLogRow& log,
                    std::int32_t name_id, schema::StepRange steps,
                    const VisitPoints& visit);
void visit_points(schema::Transaction& tx, const schema::MetricLogRow& log,
                  std::int32_t name_id, schema::StepRange steps, const VisitPoints& visit);

// Of all metrics, in the blocks from number first on.
void visit_blocks(schema::Transaction& tx, const schema::MetricLogRow& log,
                  std::int64_t first, const VisitPoints& visit);

// Throws data_loss where they are not as many as the row says.
std::vector<MetricPoint> decode_points(const schema::MetricBlockRow& block);
std::vector<MetricPoint> decode_points(const schema::MetricSegmentRow& segment);

// Throws internal: a run has one from its first day.
schema::MetricLogRow get_metric_log(schema::Transaction& tx, RunId run);

inline constexpr schema::StepRange kAllSteps{-kMetricStepMax, kMetricStepMax};

}  // namespace mendel::registry
