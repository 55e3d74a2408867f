#include "registry/services/metric_sums.h"

#include <cmath>

namespace mendel::registry {

void MetricSums::add(const MetricPoint& point) {
  const schema::MetricPointRow row{point.step, point.value, point.time};
  ++count;
  if (!last || row.step >= last->step) last = row;
  if (std::isnan(row.value)) return;
  if (!min || row.value < min->value) min = row;
  if (!max || row.value > max->value) max = row;
}

MetricSums sums_of(const schema::RunMetricRow& row) {
  return {row.point_count, row.last, row.min, row.max};
}

void set_sums(schema::RunMetricRow& row, const MetricSums& sums) {
  row.point_count = sums.count;
  row.last = sums.last;
  row.min = sums.min;
  row.max = sums.max;
}

}  // namespace mendel::registry
