#pragma once

#include <cstdint>
#include <optional>

#include "registry/services/metric_points.h"
#include "schema/metrics.h"

namespace mendel::registry {

// What is known of a metric without its points. The last point is that of the highest step,
// of several the one recorded last; the best ones are the first recorded of their value,
// and never NaN.
struct MetricSums {
  std::int64_t count = 0;
  std::optional<schema::MetricPointRow> last;
  std::optional<schema::MetricPointRow> min;
  std::optional<schema::MetricPointRow> max;

  // Points are added in the order in which they were recorded.
  void add(const MetricPoint& point);
};

MetricSums sums_of(const schema::RunMetricRow& row);
void set_sums(schema::RunMetricRow& row, const MetricSums& sums);

}  // namespace mendel::registry
